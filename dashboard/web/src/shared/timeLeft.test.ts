import { describe, expect, test } from 'vitest';
import { anIncident, at, NOON } from '@/live/fixtures';
import { byPromise, timeLeft, waitsFor } from './timeLeft';
import { parts } from './words';

const due = (assigned: number, until: number | null) => ({
  person_id: 'w1',
  person_name: 'w',
  department: 'HW',
  assigned_at: at(assigned),
  due_at: until === null ? null : at(until),
});

describe('time left', () => {
  test('is calm while more than a quarter remains', () => {
    expect(timeLeft(anIncident({ assignment: due(-60, 60) }), NOON)).toEqual({ urgency: 'calm', ms: 3_600_000, share: 0.5 });
  });
  test('is soon in the last quarter', () => {
    expect(timeLeft(anIncident({ assignment: due(-100, 20) }), NOON).urgency).toBe('soon');
  });
  test('is overdue from the moment the promise ends, and counts on', () => {
    expect(timeLeft(anIncident({ assignment: due(-60, 0) }), NOON).urgency).toBe('overdue');
    expect(timeLeft(anIncident({ assignment: due(-60, -10) }), NOON).ms).toBe(-600_000);
  });
  test('is nothing without a limit, while suspended, and when finished', () => {
    expect(timeLeft(anIncident({ assignment: due(-60, null) }), NOON).urgency).toBe('none');
    expect(timeLeft(anIncident({ state: 'suspended' }), NOON).urgency).toBe('none');
    expect(timeLeft(anIncident({ state: 'closed', assignment: due(-60, -10) }), NOON).urgency).toBe('none');
  });
});

test('the oldest promise comes first, those without a promise last', () => {
  const list = [
    anIncident({ number: 1, assignment: null }),
    anIncident({ number: 2, assignment: due(-10, 50) }),
    anIncident({ number: 3, assignment: due(-10, -5) }),
  ];
  expect(list.sort(byPromise).map((incident) => incident.number)).toEqual([3, 2, 1]);
});

test('a length is said in its two largest units', () => {
  expect(parts(2 * 86_400_000 + 3 * 3_600_000)).toEqual({ unit: 'days', large: 2, small: 3 });
  expect(parts(-72 * 60_000)).toEqual({ unit: 'hours', large: 1, small: 12 });
  expect(parts(8 * 60_000 + 4000)).toEqual({ unit: 'minutes', large: 8, small: 0 });
});

test('a find held for a word is nobody\'s work: its own group, no clock', () => {
  const held = anIncident({ state: 'suspected', assignment: null });
  expect(waitsFor(held)).toBe('to_confirm');
  expect(timeLeft(held, NOON).urgency).toBe('none');
});
