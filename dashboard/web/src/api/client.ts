import { noteServerTime } from '@/shared/clock';
import { ApiError, refusedBy, unreachable } from './errors';

// A phone on a bad line may need long for a photo; a command screen must not wait forever for a list.
const PATIENCE_MS = 20_000;
const UPLOAD_PATIENCE_MS = 90_000;

let onSignedOut: () => void = () => undefined;

/** What to do when the server says that nobody is signed in (any more). */
export function whenSignedOut(handler: () => void): void {
  onSignedOut = handler;
}

export function get<T>(path: string): Promise<T> {
  return ask<T>(path, { method: 'GET' }, PATIENCE_MS);
}

export function post<T>(path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method: 'POST', headers: { 'X-Gridwarden': '1' } };
  if (body !== undefined) {
    init.headers = { 'X-Gridwarden': '1', 'Content-Type': 'application/json' };
    init.body = JSON.stringify(body);
  }
  return ask<T>(path, init, PATIENCE_MS);
}

export function upload<T>(path: string, file: Blob): Promise<T> {
  const form = new FormData();
  form.append('file', file, 'photo.jpg');
  return ask<T>(path, { method: 'POST', headers: { 'X-Gridwarden': '1' }, body: form }, UPLOAD_PATIENCE_MS);
}

/** A picture that must not be fetched twice or kept by the browser: each request of it is audited. */
export async function getPicture(path: string): Promise<Blob> {
  return (await answerTo(path, { method: 'GET', cache: 'no-store' }, PATIENCE_MS)).blob();
}

async function ask<T>(path: string, init: RequestInit, patienceMs: number): Promise<T> {
  const answer = await answerTo(path, init, patienceMs);
  return answer.status === 204 ? (undefined as T) : ((await answer.json()) as T);
}

async function answerTo(path: string, init: RequestInit, patienceMs: number): Promise<Response> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), patienceMs);
  const answer = await fetch(path, { ...init, signal: patience.signal })
    .catch(() => {
      throw unreachable(patience.signal.aborted);
    })
    .finally(() => clearTimeout(timer));
  noteServerTime(answer.headers.get('Date'));
  if (answer.ok) return answer;
  const error = await refusedBy(answer);
  if (error instanceof ApiError && error.status === 401 && path !== '/api/sign-in') onSignedOut();
  throw error;
}

/** `/api/x?a=1` with the parameters that have a value. */
export function withQuery(path: string, query: Record<string, string | number | boolean | null | undefined>): string {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== '');
  if (given.length === 0) return path;
  return `${path}?${new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString()}`;
}

export const pictureUrl = (picture: string): string => `/api/pictures/${picture}.jpg`;
