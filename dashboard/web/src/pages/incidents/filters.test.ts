import { describe, expect, it } from 'vitest';
import { EVERYTHING_OPEN, fromQuery, same, toApi, toQuery, type Filters } from './filters';

const NOW = new Date(2026, 10, 24, 12);

describe('filters in the address', () => {
  it('come back as they were written', () => {
    const asked: Filters = { ...EVERYTHING_OPEN, state: 'rework', cell: 'west', category: 'B', overdue: true, q: '秦岭路 王伟', period: 'days', from: '2026-11-01', to: '2026-11-07' };
    expect(fromQuery(toQuery(asked))).toEqual(asked);
  });

  it('say nothing where nothing is narrowed', () => {
    expect(toQuery(EVERYTHING_OPEN)).toEqual({});
    expect(fromQuery({})).toEqual(EVERYTHING_OPEN);
  });

  it('leave out what they do not know', () => {
    expect(fromQuery({ state: 'lost', cell: ['a', 'b'], period: 'age', from: 'soon', category: '<b>' })).toEqual({ ...EVERYTHING_OPEN });
  });

  it('are the same whatever stands behind an unused period', () => {
    expect(same({ ...EVERYTHING_OPEN, from: '2026-11-01' }, EVERYTHING_OPEN)).toBe(true);
  });
});

describe('filters as the API asks them', () => {
  it('an open list asks for the open ones, a state for that state alone', () => {
    expect(toApi(EVERYTHING_OPEN, NOW)).toMatchObject({ open: true, state: null });
    expect(toApi({ ...EVERYTHING_OPEN, state: 'closed' }, NOW)).toMatchObject({ open: null, state: 'closed' });
    expect(toApi({ ...EVERYTHING_OPEN, state: 'all' }, NOW)).toMatchObject({ open: null, state: null });
  });

  it('the last day is included', () => {
    const asked = toApi({ ...EVERYTHING_OPEN, period: 'days', from: '2026-11-01', to: '2026-11-30' }, NOW);
    expect(asked['since']).toBe(new Date(2026, 10, 1).toISOString());
    expect(asked['until']).toBe(new Date(2026, 11, 1).toISOString());
  });

  it('seven days are today and the six before', () => {
    expect(toApi({ ...EVERYTHING_OPEN, period: 'week' }, NOW)['since']).toBe(new Date(2026, 10, 18).toISOString());
  });
});
