import { describe, expect, test } from 'vitest';
import { attention, isOld } from './attention';
import { aCamera, anIncident, at, NOON } from './fixtures';

const cameras = ['c1', 'c2', 'c3', 'c4'].map((id) => aCamera({ camera_id: id, name: id }));

describe('attention', () => {
  test('shows new finds first, then verifications, then overdue ones, then patrol', () => {
    const late = { person_id: 'w', person_name: 'w', department: 'HW', assigned_at: at(-90), due_at: at(-10) };
    const tiles = attention(
      cameras,
      [
        anIncident({ incident_id: 'a', number: 1, camera_id: 'c3', overdue: true, opened_at: at(-90), assignment: late }),
        anIncident({ incident_id: 'b', number: 2, camera_id: 'c2', state: 'verifying', opened_at: at(-90) }),
        anIncident({ incident_id: 'c', number: 3, camera_id: 'c4', opened_at: at(-1) }),
      ],
      { now: NOON, limit: 8 },
    );
    expect(tiles.map((tile) => [tile.camera.camera_id, tile.reason])).toEqual([
      ['c4', 'new_find'],
      ['c2', 'verifying'],
      ['c3', 'overdue'],
      ['c1', 'patrol'],
    ]);
  });

  test('shows a camera once, for its most pressing reason', () => {
    const found = [anIncident({ opened_at: at(-1) }), anIncident({ incident_id: 'b', number: 2, state: 'verifying' })];
    const tiles = attention([aCamera()], found, { now: NOON, limit: 8 });
    expect(tiles.map((tile) => tile.reason)).toEqual(['new_find']);
  });
});

describe('a picture', () => {
  test('is old when the camera is offline, whatever its age', () => {
    expect(isOld(aCamera({ condition: 'offline' }), NOON, NOON)).toBe(true);
  });
  test('is live within half a minute, or twice a longer promise', () => {
    expect(isOld(aCamera(), NOON - 25_000, NOON)).toBe(false);
    expect(isOld(aCamera(), NOON - 35_000, NOON)).toBe(true);
    expect(isOld(aCamera({ next_look_at: at(1) }), NOON - 110_000, NOON)).toBe(false);
  });
});
