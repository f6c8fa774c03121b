export type PeriodName = 'today' | 'week' | 'month';

export interface Period {
  since: Date;
  until: Date;
}

const DAYS: Record<PeriodName, number> = { today: 1, week: 7, month: 30 };

/** Whole local days up to now: today, or today and the 6 or 29 days before it. */
export function periodOf(name: PeriodName, now: Date): Period {
  const since = new Date(now);
  since.setHours(0, 0, 0, 0);
  since.setDate(since.getDate() - (DAYS[name] - 1));
  return { since, until: now };
}

/** The same stretch of days just before, up to the same time of day: what the change is measured against. */
export function periodBefore(name: PeriodName, period: Period): Period {
  const back = (date: Date) => {
    const moved = new Date(date);
    moved.setDate(moved.getDate() - DAYS[name]);
    return moved;
  };
  return { since: back(period.since), until: back(period.until) };
}
