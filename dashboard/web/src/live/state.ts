import type { Camera, Incident, LiveCameras, LiveCounts, LiveGone, LiveHealth, LiveIncident, LiveSnapshot } from '@/api/types';
import { isFinished } from '@/incident/incident';

/** What the command view knows: the last snapshot and every change since, folded. */
export interface LiveState {
  /** The log's position up to which `incidents` is right; -1 before the first snapshot. */
  seq: number;
  incidents: ReadonlyMap<string, Incident>;
  cameras: ReadonlyMap<string, Camera>;
  counts: LiveCounts | null;
  health: LiveHealth | null;
  /** The server left open incidents out of the snapshot because there were too many. */
  more: boolean;
}

export type LiveMessage =
  | { name: 'snapshot'; data: LiveSnapshot }
  | { name: 'incident'; data: LiveIncident }
  | { name: 'gone'; data: LiveGone }
  | { name: 'cameras'; data: LiveCameras }
  | { name: 'counts'; data: LiveCounts }
  | { name: 'health'; data: LiveHealth };

export const NOTHING: LiveState = {
  seq: -1,
  incidents: new Map(),
  cameras: new Map(),
  counts: null,
  health: null,
  more: false,
};

/** The state after a message. The same state where the message says nothing new (a repeat after reconnecting). */
export function fold(state: LiveState, message: LiveMessage): LiveState {
  switch (message.name) {
    case 'snapshot':
      return fromSnapshot(message.data);
    case 'incident':
      return withIncident(state, message.data);
    case 'gone':
      return withoutIncident(state, message.data);
    case 'cameras':
      return withCameras(state, message.data);
    case 'counts':
      return { ...state, counts: message.data };
    case 'health':
      return { ...state, health: message.data };
  }
}

function fromSnapshot(snapshot: LiveSnapshot): LiveState {
  return {
    seq: snapshot.seq,
    incidents: new Map(snapshot.incidents.map((incident) => [incident.incident_id, incident])),
    cameras: new Map(snapshot.cameras.map((camera) => [camera.camera_id, camera])),
    counts: snapshot.counts,
    health: snapshot.health,
    more: snapshot.more,
  };
}

function withIncident(state: LiveState, { seq, incident }: LiveIncident): LiveState {
  if (seq <= state.seq) return state;
  const incidents = new Map(state.incidents);
  if (isFinished(incident)) incidents.delete(incident.incident_id);
  else incidents.set(incident.incident_id, incident);
  return { ...state, seq, incidents };
}

function withoutIncident(state: LiveState, { seq, incident_id }: LiveGone): LiveState {
  if (seq <= state.seq) return state;
  const incidents = new Map(state.incidents);
  incidents.delete(incident_id);
  return { ...state, seq, incidents };
}

function withCameras(state: LiveState, { states }: LiveCameras): LiveState {
  const cameras = new Map(state.cameras);
  for (const change of states) {
    const known = cameras.get(change.camera_id);
    // A camera added since the snapshot has no place yet; the next snapshot brings it.
    if (known) cameras.set(change.camera_id, { ...known, ...change });
  }
  return { ...state, cameras };
}
