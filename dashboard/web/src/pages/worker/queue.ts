import type { Incident, Step, StepData, Text } from '@/api/types';

/** A step taken on this phone that the server has not confirmed yet. */
export interface Unsent {
  /** The step's idempotency key, made once: sending twice is doing once. */
  key: string;
  personId: string;
  incidentId: string;
  number: number;
  title: Text;
  step: Step;
  data: StepData;
  /** The photo until it is uploaded; then its name is in `data`. */
  photo: Blob | null;
  at: string;
  attempts: number;
  /** Why the server will never take it; it then waits for the worker to read it. */
  refused: Text | null;
}

export type Queue = readonly Unsent[];

export const added = (queue: Queue, item: Unsent): Queue => [...queue, item];

/** The oldest that may still succeed. Order matters: accept before resolve. */
export const nextToSend = (queue: Queue): Unsent | null => queue.find((item) => item.refused === null) ?? null;

export const sent = (queue: Queue, key: string): Queue => queue.filter((item) => item.key !== key);

export const changed = (queue: Queue, key: string, changes: Partial<Unsent>): Queue =>
  queue.map((item) => (item.key === key ? { ...item, ...changes } : item));

// Quick at first (a lift, a tunnel), then once in half a minute so that the battery lasts the shift.
const PAUSES_MS = [1_000, 3_000, 10_000, 30_000];

export const pauseAfter = (attempts: number): number => PAUSES_MS[Math.min(attempts, PAUSES_MS.length - 1)] ?? 30_000;

const LEAVES_HAND: Step[] = ['resolve', 'return', 'nothing_here', 'part_done'];

export interface Shown {
  task: Incident;
  /** Steps of this task that have not reached the server. */
  unsent: Unsent[];
}

/** The tasks as the worker left them: steps not yet sent already count, and are marked as not sent. */
export function shownTasks(tasks: readonly Incident[], queue: Queue): Shown[] {
  const waiting = queue.filter((item) => item.refused === null);
  return tasks.flatMap((task) => {
    const unsent = waiting.filter((item) => item.incidentId === task.incident_id);
    if (unsent.some((item) => LEAVES_HAND.includes(item.step))) return [];
    const accepted = unsent.some((item) => item.step === 'accept');
    return [{ task: accepted ? withAccepted(task) : task, unsent }];
  });
}

function withAccepted(task: Incident): Incident {
  return { ...task, state: 'accepted', steps: task.steps.filter((step) => step !== 'accept' && step !== 'receive') };
}
