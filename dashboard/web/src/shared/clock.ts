import { onScopeDispose, readonly, ref, type Ref } from 'vue';

// Old phones' clocks are minutes off; deadlines are the server's, so its clock is the one shown.
let skewMs = 0;

export function noteServerTime(date: string | null): void {
  const server = date === null ? Number.NaN : Date.parse(date);
  // The header has whole seconds: a smaller difference says nothing.
  if (!Number.isNaN(server)) skewMs = Math.abs(server - Date.now()) > 2000 ? server - Date.now() : 0;
}

export const serverNow = (): number => Date.now() + skewMs;

const now = ref(serverNow());
let users = 0;
let timer: ReturnType<typeof setInterval> | undefined;

/** The server's time in ms, moving once a second while any component shows it. */
export function useNow(): Readonly<Ref<number>> {
  users += 1;
  now.value = serverNow();
  timer ??= setInterval(() => (now.value = serverNow()), 1000);
  onScopeDispose(() => {
    users -= 1;
    if (users === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  });
  return readonly(now);
}
