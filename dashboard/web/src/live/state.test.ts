import { describe, expect, test } from 'vitest';
import type { IncidentEvent, LiveSnapshot } from '@/api/types';
import { aCamera, anIncident, at } from './fixtures';
import { fold, NOTHING } from './state';

const counts = { looks: 10, inferred: 4, opened: 1, received: 0, resolved: 0, verified: 0, false_alarms: 0 };
const health = { behind_s: 0, broker: true, spool: 0, cameras: 1, offline: 0, counters: {} };
const snapshot = (changes: Partial<LiveSnapshot> = {}): LiveSnapshot => ({
  seq: 10,
  incidents: [anIncident()],
  cameras: [aCamera()],
  counts,
  health,
  more: false,
  ...changes,
});
const event = (seq: number): IncidentEvent => ({
  seq,
  incident_id: 'i1',
  kind: 'accept',
  at: at(0),
  actor: { role: 'worker', actor_id: 'w1', name: '王师傅' },
  before: 'received',
  after: 'accepted',
  data: {},
});
const begun = fold(NOTHING, { name: 'snapshot', data: snapshot() });

describe('the live state', () => {
  test('is replaced by a snapshot', () => {
    const later = fold(begun, { name: 'snapshot', data: snapshot({ seq: 20, incidents: [] }) });
    expect(later.seq).toBe(20);
    expect(later.incidents.size).toBe(0);
  });

  test('takes a newer incident', () => {
    const incident = anIncident({ state: 'accepted' });
    const later = fold(begun, { name: 'incident', data: { seq: 11, event: event(11), incident } });
    expect(later.incidents.get('i1')?.state).toBe('accepted');
    expect(later.seq).toBe(11);
  });

  test('stays the same when a reconnect repeats what is known', () => {
    const incident = anIncident({ state: 'assigned', number: 99 });
    expect(fold(begun, { name: 'incident', data: { seq: 10, event: event(10), incident } })).toBe(begun);
  });

  test.each(['closed', 'rejected', 'merged'] as const)('drops an incident that is %s', (state) => {
    const later = fold(begun, { name: 'incident', data: { seq: 12, event: event(12), incident: anIncident({ state }) } });
    expect(later.incidents.size).toBe(0);
  });

  test('drops an incident that is no longer ours to see', () => {
    expect(fold(begun, { name: 'gone', data: { seq: 12, incident_id: 'i1' } }).incidents.size).toBe(0);
  });

  test('changes what a camera does and keeps where it stands', () => {
    const { name: _name, position: _position, bearing_deg: _bearing, zones: _zones, cell_id: _cell, ...change } = aCamera({ condition: 'offline' });
    const later = fold(begun, { name: 'cameras', data: { states: [change] } });
    expect(later.cameras.get('c1')).toMatchObject({ condition: 'offline', name: '秦岭路口' });
  });

  test('does not change the state it started from', () => {
    fold(begun, { name: 'gone', data: { seq: 12, incident_id: 'i1' } });
    expect(begun.incidents.size).toBe(1);
  });
});
