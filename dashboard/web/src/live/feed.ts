import { onScopeDispose, ref, shallowRef } from 'vue';
import { forget } from '@/session';
import { router } from '@/router';
import type { LiveEnd } from '@/api/types';
import { fold, NOTHING, type LiveMessage, type LiveState } from './state';

export type Link = 'connecting' | 'live' | 'lost';

const NAMES = ['snapshot', 'incident', 'gone', 'cameras', 'counts', 'health'] as const;
// The server tells its health every second; twenty without a word mean a dead line (a laptop
// that slept, a proxy that dropped us) even where the browser believes it is open.
const SILENCE_MS = 20_000;
const CHECK_MS = 2_000;
// EventSource gives up for good on an HTTP error (a restarting server); then we ask again ourselves.
const RETRY_MS = [1_000, 2_000, 5_000, 10_000];

/** The live feed, open while the component that asked for it lives. */
export function useLive() {
  const state = shallowRef<LiveState>(NOTHING);
  const link = ref<Link>('connecting');
  const heardAt = ref(Date.now());
  let source: EventSource | null = null;
  let failures = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;

  const take = (message: LiveMessage) => {
    failures = 0;
    heardAt.value = Date.now();
    link.value = 'live';
    state.value = fold(state.value, message);
  };

  const open = () => {
    clearTimeout(retry);
    source?.close();
    heardAt.value = Date.now();
    source = new EventSource('/api/live');
    for (const name of NAMES) {
      source.addEventListener(name, (event: MessageEvent<string>) =>
        take({ name, data: JSON.parse(event.data) } as LiveMessage),
      );
    }
    source.addEventListener('end', (event: MessageEvent<string>) => end(JSON.parse(event.data) as LiveEnd));
    source.onerror = () => {
      link.value = 'lost';
      if (source?.readyState === EventSource.CLOSED) void reopen();
    };
  };

  const end = (message: LiveEnd) => {
    if (message.reason === 'signed_out') leave();
    else link.value = 'lost';
  };

  const leave = () => {
    close();
    forget();
    void router.replace('/sign-in');
  };

  const reopen = async () => {
    const status = await fetch('/api/me').then((answer) => answer.status).catch(() => 0);
    if (status === 401) return leave();
    const wait = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
    failures += 1;
    clearTimeout(retry);
    retry = setTimeout(open, wait);
  };

  const check = setInterval(() => {
    if (source !== null && Date.now() - heardAt.value > SILENCE_MS) {
      link.value = 'lost';
      open();
    }
  }, CHECK_MS);

  const close = () => {
    clearInterval(check);
    clearTimeout(retry);
    source?.close();
    source = null;
  };

  open();
  onScopeDispose(close);
  return { state, link, heardAt };
}
