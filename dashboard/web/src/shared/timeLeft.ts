import type { Incident } from '@/api/types';
import { isFinished } from '@/incident/incident';

/** How a promise stands. `none`: nothing is promised (no limit, nobody assigned yet, or finished). */
export type Urgency = 'overdue' | 'soon' | 'calm' | 'none';

export interface TimeLeft {
  urgency: Urgency;
  /** Negative when overdue; null without a promise. */
  ms: number | null;
  /** Share of the time that is left, 0..1: the length of the shrinking bar. */
  share: number;
}

// Below a quarter of the time a worker who has not started will hardly arrive in time.
const SOON_SHARE = 0.25;

export function timeLeft(incident: Pick<Incident, 'assignment' | 'state' | 'overdue'>, now: number): TimeLeft {
  const due = incident.assignment?.due_at;
  if (isFinished(incident) || incident.state === 'suspended' || !incident.assignment || !due) {
    return { urgency: 'none', ms: null, share: 1 };
  }
  const ends = Date.parse(due);
  const ms = ends - now;
  const whole = Math.max(1, ends - Date.parse(incident.assignment.assigned_at));
  const share = Math.min(1, Math.max(0, ms / whole));
  if (ms <= 0) return { urgency: 'overdue', ms, share: 0 };
  return { urgency: share < SOON_SHARE ? 'soon' : 'calm', ms, share };
}

/** Oldest promise first; without a promise after those with one, oldest first. */
export function byPromise(a: Incident, b: Incident): number {
  const dueOf = (incident: Incident) => Date.parse(incident.assignment?.due_at ?? '') || Number.POSITIVE_INFINITY;
  const [first, second] = [dueOf(a), dueOf(b)];
  return first === second ? a.number - b.number : first - second;
}

export type Waiting = 'untaken' | 'to_confirm' | 'in_hand' | 'checking' | 'suspended';

const WAITING: Partial<Record<Incident['state'], Waiting>> = {
  suspected: 'to_confirm',
  opened: 'untaken',
  assigned: 'untaken',
  received: 'untaken',
  returned: 'untaken',
  rework: 'untaken',
  accepted: 'in_hand',
  resolved: 'checking',
  verifying: 'checking',
  suspended: 'suspended',
};

/** What an open incident waits for: a person's word that it is one, somebody to take it, the one who took it, or the check. */
export const waitsFor = (incident: Incident): Waiting | null => WAITING[incident.state] ?? null;
