import { useI18n } from 'vue-i18n';
import { ApiError } from '@/api/errors';
import type { Text } from '@/api/types';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A length of time in its two largest units: 2 d 3 h, 1 h 12 min, 8 min, 40 s. */
export function parts(ms: number): { unit: 'days' | 'hours' | 'minutes' | 'seconds'; large: number; small: number } {
  const length = Math.abs(ms);
  if (length >= DAY) return { unit: 'days', large: Math.floor(length / DAY), small: Math.floor((length % DAY) / HOUR) };
  if (length >= HOUR) return { unit: 'hours', large: Math.floor(length / HOUR), small: Math.floor((length % HOUR) / MINUTE) };
  if (length >= MINUTE) return { unit: 'minutes', large: Math.floor(length / MINUTE), small: 0 };
  return { unit: 'seconds', large: Math.floor(length / 1000), small: 0 };
}

/** How the pages say things: numbers, times, ages and the server's words in the chosen language. */
export function useWords() {
  const { t, locale } = useI18n();

  const said = (text: Text): string => (locale.value === 'en' ? text.en : text.zh);
  const number = (value: number): string => value.toLocaleString(locale.value);
  const percent = (value: number | null): string =>
    value === null ? '–' : `${(value * 100).toLocaleString(locale.value, { maximumFractionDigits: 1 })}%`;

  const length = (ms: number): string => {
    const { unit, large, small } = parts(ms);
    return t(`length.${unit}`, { large, small });
  };
  const age = (at: string | null | undefined, now: number): string => {
    if (!at) return '–';
    const ms = now - Date.parse(at);
    return ms < 5000 ? t('age.now') : t('age.ago', { length: length(ms) });
  };
  const exact = (at: string): string =>
    new Date(at).toLocaleString(locale.value, { weekday: 'short', year: 'numeric', month: 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
  const clock = (at: string | number): string =>
    new Date(at).toLocaleTimeString(locale.value, { hour: '2-digit', minute: '2-digit', hour12: false });
  const until = (at: string, now: number): string => {
    const date = new Date(at);
    const day = date.toDateString() === new Date(now).toDateString() ? t('time.today') : dayName(date, now);
    return t('time.before', { day, time: clock(at) });
  };
  const dayName = (date: Date, now: number): string =>
    Math.abs(date.getTime() - now) < 6 * DAY
      ? date.toLocaleDateString(locale.value, { weekday: 'short' })
      : date.toLocaleDateString(locale.value, { month: 'short', day: 'numeric', weekday: 'short' });

  const failure = (error: unknown): string => {
    if (!(error instanceof ApiError)) return t('error.unexpected', { what: error instanceof Error ? error.message : String(error) });
    if (error.words) return said(error.words);
    if (error.code === 'offline' || error.code === 'timeout') return t(`error.${error.code}`);
    return t('error.status', { status: error.status });
  };

  return { t, locale, said, number, percent, length, age, exact, clock, until, failure };
}
