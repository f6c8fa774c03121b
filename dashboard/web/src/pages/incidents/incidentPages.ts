import { onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue';
import { get, withQuery } from '@/api/client';
import type { Incident, IncidentPage } from '@/api/types';

/** Pages of incidents, newest first, one after the other as somebody scrolls. */
export function usePages(query: () => Record<string, string | boolean | null>, key: Ref<string>) {
  const incidents = shallowRef<Incident[]>([]);
  const before = ref<number | null>(null);
  const state = ref<'loading' | 'shown' | 'failed'>('loading');
  const error = shallowRef<unknown>(null);
  let asked = 0;

  const load = async (more: boolean) => {
    if (more && (state.value === 'loading' || before.value === null)) return;
    asked += 1;
    const mine = asked;
    state.value = 'loading';
    try {
      const page = await get<IncidentPage>(withQuery('/api/incidents', { ...query(), before: more ? before.value : null }));
      if (mine !== asked) return;
      incidents.value = more ? [...incidents.value, ...page.incidents] : page.incidents;
      before.value = page.next_before;
      state.value = 'shown';
    } catch (problem) {
      if (mine !== asked) return;
      error.value = problem;
      state.value = 'failed';
    }
  };
  /** One has moved: shown as it is now, in its place, even where it would no longer be listed. */
  const put = (moved: Incident) => {
    incidents.value = incidents.value.map((each) => (each.incident_id === moved.incident_id ? moved : each));
  };
  watch(key, () => void load(false), { immediate: true });
  onScopeDispose(() => (asked += 1));
  return { incidents, before, state, error, load, put };
}
