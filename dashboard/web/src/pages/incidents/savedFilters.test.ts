import { describe, expect, it } from 'vitest';
import { EVERYTHING_OPEN } from './filters';
import { MOST_SAVED, read, withOne, written, type SavedFilter } from './savedFilters';

const named = (name: string): SavedFilter => ({ name, filters: { ...EVERYTHING_OPEN, q: name } });

describe('saved filters', () => {
  it('are read as they were written', () => {
    const saved = [named('超期'), { name: '本周', filters: { ...EVERYTHING_OPEN, period: 'week' as const } }];
    expect(read(written(saved))).toEqual(saved);
  });

  it('are none where the browser kept something else', () => {
    for (const kept of [null, '', '{', '{}', '[null, 3, {"name": 1}]']) expect(read(kept)).toEqual([]);
  });

  it('replace the one of the same name in its place', () => {
    const next = withOne([named('a'), named('b')], { name: 'a', filters: EVERYTHING_OPEN });
    expect(next.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(next[0]?.filters).toEqual(EVERYTHING_OPEN);
  });

  it('are bounded: the oldest goes', () => {
    let saved: SavedFilter[] = [];
    for (let n = 0; n <= MOST_SAVED; n += 1) saved = withOne(saved, named(String(n)));
    expect(saved).toHaveLength(MOST_SAVED);
    expect(saved[0]?.name).toBe('1');
  });
});
