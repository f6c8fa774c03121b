import { onScopeDispose, ref, shallowRef, toRaw } from 'vue';
import { post, upload } from '@/api/client';
import { ApiError } from '@/api/errors';
import type { Incident, Picture } from '@/api/types';
import { drop, keep, keptQueue } from './keep';
import { added, changed, nextToSend, pauseAfter, sent, type Queue, type Unsent } from './queue';

/** Sends what the worker did, in order, as soon as there is a network; keeps it until the server has it. */
export function useSender(personId: string, onTaken: (after: Incident) => void) {
  const queue = shallowRef<Queue>([]);
  const sending = ref(false);
  /** The browser would not keep the queue (private window, full disk): closing the page loses what is unsent. */
  const forgetful = ref(false);
  let timer: ReturnType<typeof setTimeout> | undefined;

  const remember = (item: Unsent) => keep(toRaw(item)).catch(() => (forgetful.value = true));

  const update = (key: string, changes: Partial<Unsent>) => {
    queue.value = changed(queue.value, key, changes);
    const item = queue.value.find((each) => each.key === key);
    return item ? remember(item) : Promise.resolve();
  };

  const remove = (key: string) => {
    queue.value = sent(queue.value, key);
    return drop(key).catch(() => (forgetful.value = true));
  };

  const send = async (item: Unsent) => {
    let data = item.data;
    if (item.photo && !data.photo) {
      data = { ...data, photo: (await upload<Picture>('/api/pictures', item.photo)).picture };
      await update(item.key, { data, photo: null });
    }
    const path = `/api/incidents/${encodeURIComponent(item.incidentId)}/steps`;
    onTaken(await post<Incident>(path, { step: item.step, key: item.key, data }));
    await remove(item.key);
  };

  const flush = async () => {
    if (sending.value) return;
    clearTimeout(timer);
    sending.value = true;
    try {
      for (let item = nextToSend(queue.value); item; item = nextToSend(queue.value)) {
        if (!(await tried(item))) break;
      }
    } finally {
      sending.value = false;
    }
  };

  /** False when the network has to come back first. */
  const tried = async (item: Unsent): Promise<boolean> => {
    try {
      await send(item);
      return true;
    } catch (error) {
      if (error instanceof ApiError && !error.worthRetrying && error.status !== 401) {
        await update(item.key, { refused: error.words ?? { zh: error.code, en: error.code } });
        return true;
      }
      await update(item.key, { attempts: item.attempts + 1 });
      timer = setTimeout(() => void flush(), pauseAfter(item.attempts));
      return false;
    }
  };

  const take = async (item: Unsent) => {
    queue.value = added(queue.value, item);
    await remember(item);
    void flush();
  };

  const start = async () => {
    const kept = await keptQueue(personId).catch(() => {
      forgetful.value = true;
      return [];
    });
    const here = new Set(queue.value.map((item) => item.key));
    queue.value = [...kept.filter((item) => !here.has(item.key)), ...queue.value];
    void flush();
  };

  const onOnline = () => void flush();
  window.addEventListener('online', onOnline);
  onScopeDispose(() => {
    clearTimeout(timer);
    window.removeEventListener('online', onOnline);
  });
  void start();
  return { queue, sending, forgetful, take, flush, dismiss: remove };
}
