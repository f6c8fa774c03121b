import { computed, shallowRef } from 'vue';
import type { ListQuery } from '@/incident/IncidentList.vue';

/** What the side sheet shows. Opening one thing from another stacks them; closing closes all. */
export type Sheet =
  | { kind: 'incident'; id: string }
  | { kind: 'camera'; id: string }
  | { kind: 'cameras' }
  | { kind: 'cell'; id: string }
  | { kind: 'some'; title: string; ids: string[] }
  | { kind: 'list'; title: string; source: ListQuery };

export function useSheets() {
  const stack = shallowRef<Sheet[]>([]);
  const top = computed(() => stack.value.at(-1) ?? null);
  const same = (a: Sheet | null, b: Sheet) => JSON.stringify(a) === JSON.stringify(b);
  return {
    top,
    deep: computed(() => stack.value.length > 1),
    /** From the page: this and nothing beneath it. */
    open: (sheet: Sheet) => (stack.value = [sheet]),
    /** From within the sheet: this on top, with a way back. */
    push: (sheet: Sheet) => {
      if (!same(top.value, sheet)) stack.value = [...stack.value, sheet];
    },
    back: () => (stack.value = stack.value.slice(0, -1)),
    close: () => (stack.value = []),
  };
}

export type Sheets = ReturnType<typeof useSheets>;
