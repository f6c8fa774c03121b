import { expect, test } from 'vitest';
import { periodBefore, periodOf } from './period';

const now = new Date(2026, 2, 6, 15, 30);

test('a week is today and the six days before it, from midnight', () => {
  expect(periodOf('week', now)).toEqual({ since: new Date(2026, 1, 28), until: now });
});

test('today begins at local midnight', () => {
  expect(periodOf('today', now).since).toEqual(new Date(2026, 2, 6));
});

test('the period before ends at the same time of day', () => {
  expect(periodBefore('week', periodOf('week', now))).toEqual({ since: new Date(2026, 1, 21), until: new Date(2026, 1, 27, 15, 30) });
});
