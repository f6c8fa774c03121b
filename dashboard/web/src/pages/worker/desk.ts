import { computed, onScopeDispose, ref, shallowRef } from 'vue';
import { get, post } from '@/api/client';
import type { Incident, Me, Step, StepData, TaskMessage, Tasks } from '@/api/types';
import { newKey } from '@/shared/key';
import { byPromise } from '@/shared/timeLeft';
import { usePush } from './push';
import { shownTasks } from './queue';
import { useSender } from './sender';
import { fromKept, isNews, partOf, pulled, stepped, told, toKept, type TaskList } from './tasks';

// With the broker connected a pull only catches what it lost; without it, it is how tasks arrive.
const PULL_LIVE_MS = 5 * 60_000;
const PULL_ALONE_MS = 20_000;
const TICK_MS = 5_000;
// A receipt may be lost with its connection; dispatch takes a repeated one calmly.
const RECEIPT_AGAIN_MS = 60_000;
const ANSWER_MS = 300;

/** Everything the worker's page knows and does: tasks, what is unsent, live connection. */
export function useDesk(person: Me) {
  const place = `gw.tasks.${person.person_id}`;
  const list = shallowRef<TaskList>(fromKept(localStorage.getItem(place)));
  const reached = ref<number | null>(null);
  const failing = ref<unknown>(null);
  const asking = ref(false);
  const news = ref<Pick<TaskMessage, 'kind' | 'incident'> | null>(null);
  const receipts = new Map<string, number>();
  const seen = new Set<string>();

  const set = (next: TaskList) => {
    list.value = next;
    localStorage.setItem(place, toKept(next));
    next.entries.forEach(({ task }) => receive(task));
  };

  const sender = useSender(person.person_id, (after) => set(stepped(list.value, after)));

  const receive = (task: Incident) => {
    if (task.assignment?.person_id !== person.person_id) return receivePart(task);
    const receipt = `${task.incident_id} ${task.assignment.assigned_at}`;
    if (task.state !== 'assigned' || Date.now() - (receipts.get(receipt) ?? 0) < RECEIPT_AGAIN_MS) return;
    receipts.set(receipt, Date.now());
    if (push.reply(task.incident_id, 'receive')) return;
    // Without the broker the same is said over HTTP; a refusal means that it has moved on, and the pull tells.
    post<Incident>(`/api/incidents/${encodeURIComponent(task.incident_id)}/steps`, { step: 'receive', key: newKey(), data: {} })
      .then((after) => set(stepped(list.value, after)))
      .catch(() => receipts.delete(receipt));
  };

  // Only called in: the incident is another's, so there is no step to take, but dispatch waits to hear that it arrived.
  const receivePart = (task: Incident) => {
    const part = partOf(task, person.person_id);
    const receipt = `${task.incident_id} ${part?.called_at}`;
    if (part && !receipts.has(receipt) && push.reply(task.incident_id, 'receive')) receipts.set(receipt, Date.now());
  };

  const pull = async () => {
    if (asking.value) return;
    asking.value = true;
    try {
      set(pulled(list.value, await get<Tasks>('/api/tasks')));
      reached.value = Date.now();
      failing.value = null;
      void sender.flush();
    } catch (error) {
      failing.value = error;
    } finally {
      asking.value = false;
    }
  };

  const onTask = (message: TaskMessage) => {
    const before = list.value;
    const after = told(before, message);
    set(after);
    if (!isNews(before, after, message)) return;
    news.value = message;
    navigator.vibrate?.([200, 100, 200]);
  };

  // An answer says that a reply of ours changed something; one pull shows what, however many answers come at once.
  let answered: ReturnType<typeof setTimeout> | undefined;
  const onAnswer = () => {
    clearTimeout(answered);
    answered = setTimeout(() => void pull(), ANSWER_MS);
  };

  const push = usePush({ onConnect: () => void pull(), onTask, onAnswer });

  const look = (task: Incident) => {
    const sight = `${task.incident_id} ${task.assignment?.assigned_at}`;
    if (!seen.has(sight) && document.visibilityState === 'visible' && push.reply(task.incident_id, 'seen')) seen.add(sight);
  };

  const take = (task: Incident, step: Step, data: StepData = {}, photo: Blob | null = null) =>
    sender.take({
      key: newKey(), personId: person.person_id, incidentId: task.incident_id, number: task.number, title: task.subcategory,
      step, data, photo, at: new Date().toISOString(), attempts: 0, refused: null,
    });

  const due = () => Date.now() - (reached.value ?? 0) > (push.state.value === 'live' ? PULL_LIVE_MS : PULL_ALONE_MS);
  const ticker = setInterval(() => {
    if (document.visibilityState === 'visible' && due()) void pull();
  }, TICK_MS);
  const back = () => {
    if (document.visibilityState === 'visible') void pull();
  };
  document.addEventListener('visibilitychange', back);
  window.addEventListener('online', back);
  // The pull fails at once, and the page says that there is no network.
  window.addEventListener('offline', back);
  onScopeDispose(() => {
    clearInterval(ticker);
    clearTimeout(answered);
    document.removeEventListener('visibilitychange', back);
    window.removeEventListener('online', back);
    window.removeEventListener('offline', back);
  });
  void pull();

  const shown = computed(() => {
    const tasks = [...list.value.entries.values()].map(({ task }) => task).sort(byPromise);
    return shownTasks(tasks, sender.queue.value);
  });
  return { shown, done: computed(() => list.value.done), unsent: sender.queue, sending: sender.sending, forgetful: sender.forgetful, link: push.state, reached, failing, news, pull, take, look, dismiss: sender.dismiss };
}
