import { expect, it } from 'vitest';
import { dayBefore } from './days';

it('goes back over months and leap days', () => {
  expect(dayBefore('2026-11-23')).toBe('2026-11-22');
  expect(dayBefore('2024-03-01')).toBe('2024-02-29');
  expect(dayBefore('2026-01-01')).toBe('2025-12-31');
});
