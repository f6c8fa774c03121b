import type { Incident, Part, TaskMessage, Tasks } from '@/api/types';

/** What this worker owes, as far as this phone knows. `seq` of an entry: the log's position it was right at. */
export interface TaskList {
  readonly entries: ReadonlyMap<string, { seq: number; task: Incident }>;
  /** Taken away by a message newer than any list: id → seq. */
  readonly recalled: ReadonlyMap<string, number>;
  /** Finished on this phone, newest first, as a reassurance. */
  readonly done: readonly Incident[];
}

export const NO_TASKS: TaskList = { entries: new Map(), recalled: new Map(), done: [] };

const IN_HAND = new Set<Incident['state']>(['assigned', 'received', 'accepted', 'rework']);
// Kinds that put something on this person's list. Others (a leader's escalation or appeal, what a newer server says)
// are news about an incident that is not theirs to do.
const OWED = new Set<string>(['assigned', 'rework', 'reminder', 'part', 'part_done']);
// A shift's worth; it is a reassurance, not a record.
const DONE_KEPT = 10;

/** The list after asking the server. A message newer than the answer (it overtook it) stands. */
export function pulled(list: TaskList, answer: Tasks): TaskList {
  const entries = new Map(answer.tasks.map((task) => [task.incident_id, { seq: answer.seq, task }]));
  for (const [id, seq] of list.recalled) if (seq > answer.seq) entries.delete(id);
  for (const [id, entry] of list.entries) if (entry.seq > answer.seq) entries.set(id, entry);
  const recalled = new Map([...list.recalled].filter(([, seq]) => seq > answer.seq));
  const back = new Set(entries.keys());
  return { entries, recalled, done: list.done.filter((task) => !back.has(task.incident_id)) };
}

/** The list after a task message. The same list where the message is old or repeated. */
export function told(list: TaskList, message: TaskMessage): TaskList {
  const id = message.incident.incident_id;
  const known = Math.max(list.entries.get(id)?.seq ?? -1, list.recalled.get(id) ?? -1);
  if (message.seq <= known) return list;
  const entries = new Map(list.entries);
  const recalled = new Map(list.recalled);
  if (message.kind === 'recalled') {
    entries.delete(id);
    recalled.set(id, message.seq);
  } else if (OWED.has(message.kind) || entries.has(id)) {
    entries.set(id, { seq: message.seq, task: message.incident });
    recalled.delete(id);
  } else {
    // Heard, so that a repeat is no second piece of news.
    recalled.set(id, message.seq);
  }
  return { entries, recalled, done: list.done.filter((task) => task.incident_id !== id) };
}

/** The list after the server has taken a step of ours: kept while still in hand, else done. */
export function stepped(list: TaskList, after: Incident): TaskList {
  const id = after.incident_id;
  const entries = new Map(list.entries);
  const known = entries.get(id);
  // Nothing left that this person may do: their part is done, the incident goes on without them.
  if (IN_HAND.has(after.state) && after.steps.length) {
    if (known) entries.set(id, { seq: known.seq, task: after });
    return { ...list, entries };
  }
  entries.delete(id);
  const done = [after, ...list.done.filter((task) => task.incident_id !== id)].slice(0, DONE_KEPT);
  return { ...list, entries, done };
}

/** Whether a message means something new to do, worth a vibration. */
export function isNews(before: TaskList, after: TaskList, message: TaskMessage): boolean {
  if (before === after || message.kind === 'recalled') return false;
  return message.kind !== 'assigned' || !before.entries.has(message.incident.incident_id);
}

/** What this person has been called in for and has not done. */
export const partOf = (task: Incident, personId: string): Part | null =>
  task.parts.find((part) => part.person_id === personId && !part.done_at) ?? null;

/** The clock that runs for this person: their part's where they are only called in. */
export function clockOf(task: Incident, personId: string): Pick<Incident, 'assignment' | 'state' | 'overdue'> {
  const part = partOf(task, personId);
  if (!part || task.assignment?.person_id === personId) return task;
  const { person_id, person_name, department, called_at, due_at } = part;
  return { state: task.state, overdue: task.overdue, assignment: { person_id, person_name, department, assigned_at: called_at, due_at } };
}

interface Kept {
  tasks: { seq: number; task: Incident }[];
  done: Incident[];
}

export const toKept = (list: TaskList): string =>
  JSON.stringify({ tasks: [...list.entries.values()], done: [...list.done] } satisfies Kept);

/** What an earlier visit kept; nothing where it cannot be read (another version wrote it). */
export function fromKept(text: string | null): TaskList {
  if (text === null) return NO_TASKS;
  try {
    const { tasks, done } = JSON.parse(text) as Kept;
    // A kept entry gives way to any answer of the server: its seq must not outrank a fresh list.
    return { entries: new Map(tasks.map(({ task }) => [task.incident_id, { seq: -1, task }])), recalled: new Map(), done };
  } catch {
    return NO_TASKS;
  }
}
