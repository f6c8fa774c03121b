import type { IncidentState, Text } from './types';

/** The server's refusal, in both languages; or that it could not be reached (status 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly words: Text | null,
    readonly state: IncidentState | null = null,
  ) {
    super(words?.en ?? code);
    this.name = 'ApiError';
  }

  /** True where the same request may succeed later: no network, server restarting, or too many requests. */
  get worthRetrying(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

export function unreachable(timedOut: boolean): ApiError {
  return new ApiError(0, timedOut ? 'timeout' : 'offline', null);
}

export async function refusedBy(answer: Response): Promise<ApiError> {
  const body: unknown = await answer.json().catch(() => null);
  const error = readError(body);
  return new ApiError(answer.status, error?.code ?? `http_${answer.status}`, error?.words ?? null, error?.state ?? null);
}

function readError(body: unknown): { code: string; words: Text; state: IncidentState | null } | null {
  const error = (body as { error?: { code?: unknown; zh?: unknown; en?: unknown; state?: IncidentState } } | null)?.error;
  if (typeof error?.code !== 'string' || typeof error.zh !== 'string' || typeof error.en !== 'string') return null;
  return { code: error.code, words: { zh: error.zh, en: error.en }, state: error.state ?? null };
}
