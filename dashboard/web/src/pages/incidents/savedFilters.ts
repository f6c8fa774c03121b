import { ref, type Ref } from 'vue';
import { fromQuery, toQuery, type Filters } from './filters';

export interface SavedFilter {
  name: string;
  filters: Filters;
}

// More than a person tells apart by name; also keeps the browser's store small.
export const MOST_SAVED = 20;

/** What the browser kept; anything unreadable is nothing kept. */
export function read(kept: string | null): SavedFilter[] {
  try {
    const list: unknown = JSON.parse(kept ?? '[]');
    if (!Array.isArray(list)) return [];
    return list.flatMap((each: { name?: unknown; query?: unknown } | null) =>
      typeof each?.name === 'string' && each.query && typeof each.query === 'object'
        ? [{ name: each.name, filters: fromQuery(each.query as Record<string, string>) }]
        : [],
    );
  } catch {
    return [];
  }
}

/** Kept as their addresses: what they mean is decided when they are opened, so "today" stays today. */
export const written = (saved: SavedFilter[]): string =>
  JSON.stringify(saved.map(({ name, filters }) => ({ name, query: toQuery(filters) })));

/** The same name again replaces it, in its place. */
export function withOne(saved: SavedFilter[], one: SavedFilter): SavedFilter[] {
  const known = saved.some(({ name }) => name === one.name);
  return known ? saved.map((each) => (each.name === one.name ? one : each)) : [...saved, one].slice(-MOST_SAVED);
}

/** A person's own filters in this browser: at a shared desk everybody has theirs. */
export function useSavedFilters(personId: string): { saved: Ref<SavedFilter[]>; keep: (saved: SavedFilter[]) => boolean } {
  const place = `gw.filters.${personId}`;
  const saved = ref(read(localStorage.getItem(place)));
  const keep = (next: SavedFilter[]): boolean => {
    saved.value = next;
    try {
      localStorage.setItem(place, written(next));
      return true;
    } catch {
      return false;
    }
  };
  return { saved, keep };
}
