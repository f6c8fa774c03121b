import { describe, expect, test } from 'vitest';
import type { TaskMessage } from '@/api/types';
import { anIncident, at } from '@/live/fixtures';
import { clockOf, fromKept, isNews, NO_TASKS, pulled, stepped, told, toKept } from './tasks';

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

describe('parts and news', () => {
  const part = { part: 1, department: 'SQ', person_id: 'w2', person_name: '赵敏', task: '协调居民', called_at: at(-10), due_at: at(50), done_at: null };

  test('a part is a task with its own clock, and is gone when it is done', () => {
    const called = anIncident({ parts: [part], steps: ['part_done'] });
    const list = told(NO_TASKS, message({ kind: 'part', incident: called }));
    expect(ids(list)).toEqual(['i1']);
    expect(clockOf(called, 'w2').assignment?.due_at).toBe(part.due_at);
    expect(clockOf(called, 'w1').assignment?.due_at).toBe(called.assignment?.due_at);
    expect(ids(stepped(list, anIncident({ parts: [{ ...part, done_at: at(0) }], steps: [] })))).toEqual([]);
  });

  test.each(['escalated', 'appeal', 'a kind of tomorrow'])('%s is told once and is no task', (kind) => {
    const news = message({ kind: kind as 'escalated' });
    const list = told(NO_TASKS, news);
    expect(ids(list)).toEqual([]);
    expect(isNews(NO_TASKS, list, news)).toBe(true);
    expect(isNews(list, told(list, news), news)).toBe(false);
  });
});
