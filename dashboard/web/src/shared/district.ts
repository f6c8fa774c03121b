import { shallowRef } from 'vue';
import { get } from '@/api/client';
import type { Category, District } from '@/api/types';

/** The district's cells, departments and people; loaded once, the same for every page. */
export const district = shallowRef<District | null>(null);
export const taxonomy = shallowRef<Category[] | null>(null);

export async function loadDistrict(): Promise<void> {
  if (district.value && taxonomy.value) return;
  [district.value, taxonomy.value] = await Promise.all([get<District>('/api/district'), get<Category[]>('/api/taxonomy')]);
}

/** A department's words; its code where the district does not know it. */
export function departmentName(code: string, english: boolean): string {
  const found = district.value?.departments.find((department) => department.department_id === code);
  if (!found) return code;
  return english ? found.en : found.zh;
}
