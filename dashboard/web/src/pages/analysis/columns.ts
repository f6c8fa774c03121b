import type { Funnel, IndicatorRow } from '@/api/types';

/** A ratio's column: `of` and `from` name the lists behind numerator and denominator. */
export interface RatioColumn {
  name: 'handled' | 'on_time' | 'closed' | 'rework' | 'returned' | 'false_alarms';
  of: string;
  from: string;
}

export const RATIOS: RatioColumn[] = [
  { name: 'handled', of: 'resolved', from: 'opened' },
  { name: 'on_time', of: 'on_time', from: 'resolved' },
  { name: 'closed', of: 'closed', from: 'opened' },
  { name: 'rework', of: 'rework', from: 'verified' },
  { name: 'returned', of: 'returned', from: 'opened' },
  { name: 'false_alarms', of: 'false_alarms', from: 'camera' },
];

export const FUNNEL: (keyof Funnel)[] = ['opened', 'received', 'accepted', 'resolved', 'verified', 'closed'];

export const MEANS = ['mean_to_accept_s', 'mean_to_resolve_s', 'mean_to_close_s'] as const satisfies readonly (keyof IndicatorRow)[];

// A share of four is chance, not performance: shown, but grey.
export const SMALL = 5;
