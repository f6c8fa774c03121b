import { ref, shallowRef } from 'vue';
import { get, post } from './api/client';
import { ApiError } from './api/errors';
import type { Me, Role } from './api/types';

/** Who is signed in: null before the first answer and when nobody is. */
export const me = shallowRef<Me | null>(null);
/** Whether the server answered when last asked who is signed in. */
export const reachable = ref(true);
let asked = false;

export const HOME: Record<Role, string> = {
  worker: '/worker',
  leader: '/',
  operator: '/',
  administrator: '/',
  analyst: '/analysis',
  system: '/sign-in',
  camera: '/sign-in',
};

// The worker's page must open without a network, so the phone remembers whose it is.
const REMEMBERED = 'gw.me';

/** Who is signed in, asking the server once; a remembered worker when there is no network. */
export async function whoAmI(): Promise<Me | null> {
  if (asked) return me.value;
  try {
    remember(await get<Me>('/api/me'));
    reachable.value = true;
  } catch (error) {
    reachable.value = !(error instanceof ApiError && error.worthRetrying);
    if (error instanceof ApiError && error.worthRetrying) me.value = remembered();
    else if (error instanceof ApiError && error.status === 401) forget();
    else throw error;
  }
  asked = me.value !== null;
  return me.value;
}

export async function signIn(username: string, password: string): Promise<Me> {
  const person = await post<Me>('/api/sign-in', { username, password });
  remember(person);
  asked = true;
  return person;
}

export async function signOut(): Promise<void> {
  await post<unknown>('/api/sign-out').catch((error: unknown) => {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
  });
  forget();
  navigator.serviceWorker?.controller?.postMessage('signed-out');
}

export function forget(): void {
  me.value = null;
  asked = false;
  localStorage.removeItem(REMEMBERED);
}

function remember(person: Me): void {
  me.value = person;
  if (person.role === 'worker') localStorage.setItem(REMEMBERED, JSON.stringify(person));
  else localStorage.removeItem(REMEMBERED);
}

function remembered(): Me | null {
  const kept = localStorage.getItem(REMEMBERED);
  return kept === null ? null : (JSON.parse(kept) as Me);
}
