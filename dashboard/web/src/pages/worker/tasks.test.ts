import { describe, expect, test } from 'vitest';
import type { TaskMessage } from '@/api/types';
import { anIncident } from '@/live/fixtures';
import { fromKept, isNews, NO_TASKS, pulled, stepped, told, toKept } from './tasks';

const message = (changes: Partial<TaskMessage> = {}): TaskMessage => ({ v: 1, seq: 20, kind: 'assigned', incident: anIncident(), ...changes });
const ids = (list: typeof NO_TASKS) => [...list.entries.keys()];

describe('tasks', () => {
  test('are what the server says is owed', () => {
    const list = pulled(told(NO_TASKS, message({ seq: 5 })), { seq: 10, tasks: [anIncident({ incident_id: 'i2' })] });
    expect(ids(list)).toEqual(['i2']);
  });

  test('keep a message that overtook the list', () => {
    const list = pulled(told(NO_TASKS, message({ seq: 11 })), { seq: 10, tasks: [] });
    expect(ids(list)).toEqual(['i1']);
  });

  test('do not come back from an older list after a recall', () => {
    const list = pulled(told(NO_TASKS, message({ seq: 11, kind: 'recalled' })), { seq: 10, tasks: [anIncident()] });
    expect(ids(list)).toEqual([]);
  });

  test('are shown once when a message is repeated', () => {
    const once = told(NO_TASKS, message());
    expect(told(once, message())).toBe(once);
  });

  test('are done when the step took them out of hand, and come back as rework', () => {
    const done = stepped(told(NO_TASKS, message()), anIncident({ state: 'resolved' }));
    expect(ids(done)).toEqual([]);
    expect(done.done).toHaveLength(1);
    const again = told(done, message({ seq: 30, kind: 'rework', incident: anIncident({ state: 'rework' }) }));
    expect(ids(again)).toEqual(['i1']);
    expect(again.done).toHaveLength(0);
  });

  test('are kept between visits and give way to the server', () => {
    const kept = fromKept(toKept(told(NO_TASKS, message({ seq: 99 }))));
    expect(ids(kept)).toEqual(['i1']);
    expect(ids(pulled(kept, { seq: 50, tasks: [] }))).toEqual([]);
    expect(fromKept('not json')).toBe(NO_TASKS);
  });

  test('are news once: a first assignment, a rework, a reminder, but no recall', () => {
    const first = told(NO_TASKS, message());
    expect(isNews(NO_TASKS, first, message())).toBe(true);
    expect(isNews(first, told(first, message()), message())).toBe(false);
    const reminder = message({ seq: 21, kind: 'reminder' });
    expect(isNews(first, told(first, reminder), reminder)).toBe(true);
    const recall = message({ seq: 22, kind: 'recalled' });
    expect(isNews(first, told(first, recall), recall)).toBe(false);
  });
});
