import type { Camera, Incident } from '@/api/types';

// Typed examples for the unit tests; no page imports them.

export const NOON = Date.parse('2026-03-02T04:00:00Z');

export const at = (minutes: number): string => new Date(NOON + minutes * 60_000).toISOString();

export function anIncident(changes: Partial<Incident> = {}): Incident {
  return {
    incident_id: 'i1',
    number: 1,
    subcategory: { code: 'B1', zh: '垃圾堆积', en: 'piled garbage' },
    category: 'B',
    state: 'assigned',
    camera_id: 'c1',
    camera_name: '秦岭路口',
    cell_id: 'g1',
    cell_name: '绿东村一格',
    position: [113.6, 34.7],
    box: [0.1, 0.2, 0.4, 0.6],
    why: { zh: '3 处垃圾已停留 12 分钟,限 10 分钟', en: '3 pieces of garbage for 12 min, limit 10' },
    confidence: 0.8,
    sightings: 3,
    opened_at: at(-30),
    last_seen_at: at(-1),
    assignment: { person_id: 'w1', person_name: '王师傅', department: 'HW', assigned_at: at(-30), due_at: at(90) },
    overdue: false,
    evidence: [],
    reworks: 0,
    returns: 0,
    extensions: 0,
    closed_at: null,
    parts: [],
    worst_picture: null,
    merged_into: null,
    steps: ['receive', 'accept', 'resolve', 'return', 'nothing_here'],
    ...changes,
  };
}

export function aCamera(changes: Partial<Camera> = {}): Camera {
  return {
    camera_id: 'c1',
    name: '秦岭路口',
    position: [113.6, 34.7],
    bearing_deg: null,
    zones: [],
    cell_id: 'g1',
    condition: 'online',
    since: at(-60),
    last_look_at: at(0),
    next_look_at: at(0.1),
    trouble: null,
    message: '',
    looks: 10,
    inferred: 4,
    flaws: [],
    ...changes,
  };
}
