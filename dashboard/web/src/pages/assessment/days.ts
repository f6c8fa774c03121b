const DAY_MS = 86_400_000;

/** The day before a local date (2026-11-23): of a period's first day, a day of the period before. */
export function dayBefore(iso: string): string {
  return new Date(Date.parse(`${iso}T00:00:00Z`) - DAY_MS).toISOString().slice(0, 10);
}

/** The last day of a period that ends before `after`. */
export const lastDay = dayBefore;
