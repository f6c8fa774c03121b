import type { LocationQuery } from 'vue-router';
import type { IncidentState } from '@/api/types';
import { periodOf, type PeriodName } from '../analysis/period';

export const STATES: readonly IncidentState[] = [
  'suspected', 'opened', 'assigned', 'received', 'accepted', 'resolved', 'verifying', 'returned', 'rework', 'suspended',
  'closed', 'rejected', 'merged',
];
export const PERIODS: readonly PeriodName[] = ['today', 'week', 'month'];

/** What the list is narrowed to. `state`: open (what people come for), finished, all, or one state. */
export interface Filters {
  state: 'open' | 'finished' | 'all' | IncidentState;
  cell: string;
  category: string;
  subcategory: string;
  overdue: boolean;
  q: string;
  /** `days`: from `from` to `to`, both included, each may be empty. */
  period: '' | PeriodName | 'days';
  from: string;
  to: string;
}

export const EVERYTHING_OPEN: Filters = { state: 'open', cell: '', category: '', subcategory: '', overdue: false, q: '', period: '', from: '', to: '' };

type Query = Record<string, string>;

/** The address's query as filters; whatever it does not know is left out, so an old link still opens. */
export function fromQuery(query: LocationQuery): Filters {
  const text = (name: string): string => (typeof query[name] === 'string' ? query[name] : '').slice(0, 100);
  const one = <T extends string>(known: readonly T[], name: string): T | undefined => known.find((each) => each === text(name));
  const day = (name: string): string => (/^\d{4}-\d{2}-\d{2}$/.test(text(name)) && !Number.isNaN(Date.parse(text(name))) ? text(name) : '');
  const id = (name: string): string => (/^[\w.:-]{1,64}$/.test(text(name)) ? text(name) : '');
  return {
    state: one(['finished', 'all', ...STATES] as const, 'state') ?? 'open',
    cell: id('cell'),
    category: id('category'),
    subcategory: id('subcategory'),
    overdue: text('overdue') === '1',
    q: text('q'),
    period: one([...PERIODS, 'days'] as const, 'period') ?? '',
    from: day('from'),
    to: day('to'),
  };
}

/** Only what differs from the list as it opens: short addresses that can be read aloud. */
export function toQuery(filters: Filters): Query {
  const days = filters.period === 'days';
  const all: Query = {
    state: filters.state === 'open' ? '' : filters.state,
    cell: filters.cell,
    category: filters.category,
    subcategory: filters.subcategory,
    overdue: filters.overdue ? '1' : '',
    q: filters.q,
    period: filters.period,
    from: days ? filters.from : '',
    to: days ? filters.to : '',
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
}

/** The same as the API asks it. Periods of days are the reader's own days. */
export function toApi(filters: Filters, now: Date): Record<string, string | boolean | null> {
  const { state } = filters;
  const some = state === 'open' || state === 'finished';
  return {
    open: some ? state === 'open' : null,
    state: some || state === 'all' ? null : state,
    cell: filters.cell,
    category: filters.category,
    subcategory: filters.subcategory,
    overdue: filters.overdue || null,
    q: filters.q.trim(),
    ...during(filters, now),
  };
}

function during({ period, from, to }: Filters, now: Date): { since: string | null; until: string | null } {
  if (period === '') return { since: null, until: null };
  if (period !== 'days') return { since: periodOf(period, now).since.toISOString(), until: null };
  const midnight = (day: string, later: number) => {
    const [year, month, date] = day.split('-').map(Number) as [number, number, number];
    return new Date(year, month - 1, date + later).toISOString();
  };
  return { since: from ? midnight(from, 0) : null, until: to ? midnight(to, 1) : null };
}

export const same = (a: Filters, b: Filters): boolean => JSON.stringify(toQuery(a)) === JSON.stringify(toQuery(b));
