import type { Camera, Incident } from '@/api/types';
import { timeLeft } from '@/shared/timeLeft';

export type Reason = 'new_find' | 'to_confirm' | 'verifying' | 'rework' | 'overdue' | 'open' | 'patrol';

/** A camera worth a person's eyes now, and why. */
export interface Tile {
  camera: Camera;
  reason: Reason;
  incident: Incident | null;
}

// A find is news for as long as it may take until somebody has received it.
const NEWS_MS = 5 * 60_000;
const ORDER: Reason[] = ['new_find', 'verifying', 'rework', 'overdue', 'to_confirm', 'open', 'patrol'];

/** The `limit` cameras that matter most, each once, for its most pressing reason; patrol fills what is left. */
export function attention(
  cameras: Iterable<Camera>,
  incidents: Iterable<Incident>,
  options: { now: number; limit: number },
): Tile[] {
  const byCamera = new Map<string, { reason: Reason; incident: Incident }>();
  for (const incident of incidents) {
    if (!incident.camera_id) continue;
    const reason = reasonFor(incident, options.now);
    const held = byCamera.get(incident.camera_id);
    if (!held || before({ reason, incident }, held)) byCamera.set(incident.camera_id, { reason, incident });
  }
  const tiles = Array.from(cameras, (camera): Tile => {
    const found = byCamera.get(camera.camera_id);
    return { camera, reason: found?.reason ?? 'patrol', incident: found?.incident ?? null };
  });
  return tiles.sort(compare).slice(0, options.limit);
}

function reasonFor(incident: Incident, now: number): Reason {
  if (incident.state === 'verifying' || incident.state === 'resolved') return 'verifying';
  if (incident.state === 'rework') return 'rework';
  if (incident.state === 'suspected') return 'to_confirm';
  if (now - Date.parse(incident.opened_at) < NEWS_MS) return 'new_find';
  return timeLeft(incident, now).urgency === 'overdue' ? 'overdue' : 'open';
}

function before(a: { reason: Reason; incident: Incident }, b: { reason: Reason; incident: Incident }): boolean {
  const [first, second] = [ORDER.indexOf(a.reason), ORDER.indexOf(b.reason)];
  return first === second ? a.incident.number > b.incident.number : first < second;
}

function compare(a: Tile, b: Tile): number {
  if (a.incident && b.incident) return before(a as Found, b as Found) ? -1 : 1;
  if (a.incident || b.incident) return a.incident ? -1 : 1;
  // A patrol tile of a camera that gives no picture shows nothing; by name, so that tiles stay where they are.
  const shows = (tile: Tile) => (tile.camera.last_look_at ? 0 : 1);
  return shows(a) - shows(b) || a.camera.name.localeCompare(b.camera.name);
}

type Found = Tile & { incident: Incident };

// Three of the promised ten-second looks missed, or twice its own promise where that is longer.
const OLD_FLOOR_MS = 30_000;

/** Whether a picture taken at `takenAt` is older than the camera's promise, so that it must not pass as live. */
export function isOld(camera: Camera, takenAt: number | null, now: number): boolean {
  if (camera.condition === 'offline' || camera.condition === 'late') return true;
  if (takenAt === null) return false;
  const promise =
    camera.last_look_at && camera.next_look_at ? Date.parse(camera.next_look_at) - Date.parse(camera.last_look_at) : 0;
  return now - takenAt > Math.max(OLD_FLOOR_MS, 2 * promise);
}
