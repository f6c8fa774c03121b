import { describe, expect, test } from 'vitest';
import { anIncident, at } from '@/live/fixtures';
import { added, changed, nextToSend, pauseAfter, sent, shownTasks, type Queue, type Unsent } from './queue';

const unsent = (changes: Partial<Unsent> = {}): Unsent => ({
  key: 'k1',
  personId: 'w1',
  incidentId: 'i1',
  number: 1,
  title: { zh: '垃圾堆积', en: 'piled garbage' },
  step: 'accept',
  data: {},
  photo: null,
  at: at(0),
  attempts: 0,
  refused: null,
  ...changes,
});
const refused = { zh: '已改派', en: 'assigned to another' };

describe('the queue', () => {
  test('sends in the order the steps were taken', () => {
    const queue = added(added([], unsent()), unsent({ key: 'k2', step: 'resolve' }));
    expect(nextToSend(queue)?.key).toBe('k1');
    expect(nextToSend(sent(queue, 'k1'))?.key).toBe('k2');
  });

  test('keeps a refused step for the worker to read and goes on with the next', () => {
    const queue: Queue = [unsent(), unsent({ key: 'k2', incidentId: 'i2' })];
    const later = changed(queue, 'k1', { refused });
    expect(later).toHaveLength(2);
    expect(nextToSend(later)?.key).toBe('k2');
  });

  test('keeps the key through every retry', () => {
    expect(changed([unsent()], 'k1', { attempts: 3 })[0]).toMatchObject({ key: 'k1', attempts: 3 });
  });

  test('waits longer after each failure, half a minute at most', () => {
    expect([0, 1, 2, 3, 99].map(pauseAfter)).toEqual([1_000, 3_000, 10_000, 30_000, 30_000]);
  });
});

describe('the shown tasks', () => {
  test('count an accept at once and say that it is not sent', () => {
    const [shown] = shownTasks([anIncident()], [unsent()]);
    expect(shown?.task.state).toBe('accepted');
    expect(shown?.task.steps).toEqual(['resolve', 'return', 'nothing_here']);
    expect(shown?.unsent).toHaveLength(1);
  });

  test.each(['resolve', 'return', 'nothing_here'] as const)('leave out a task with a waiting %s', (step) => {
    expect(shownTasks([anIncident()], [unsent({ step })])).toEqual([]);
  });

  test('bring the task back when the step was refused', () => {
    expect(shownTasks([anIncident()], [unsent({ step: 'resolve', refused })])).toHaveLength(1);
  });
});
