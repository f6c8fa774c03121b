import type { Camera, Cell, Incident } from '@/api/types';
import { timeLeft, type Urgency } from '@/shared/timeLeft';

type Position = [number, number];
type Features = GeoJSON.FeatureCollection;

const collection = (features: GeoJSON.Feature[]): Features => ({ type: 'FeatureCollection', features });

/** How many open incidents make a cell fully shaded; a worker cannot have more in hand at once. */
const FULL_LOAD = 8;

export function cellFeatures(cells: readonly Cell[], loads: ReadonlyMap<string, number>): Features {
  return collection(
    cells.map((cell) => ({
      type: 'Feature',
      properties: { id: cell.cell_id, load: Math.min(1, (loads.get(cell.cell_id) ?? 0) / FULL_LOAD) },
      geometry: { type: 'Polygon', coordinates: [closed(cell.boundary as Position[])] },
    })),
  );
}

/** How its dot is drawn: a camera that answers with useless pictures is no fine one. */
export const look = (camera: Pick<Camera, 'condition' | 'flaws'>): Camera['condition'] | 'flawed' =>
  camera.condition === 'online' && camera.flaws.length ? 'flawed' : camera.condition;

export function cameraFeatures(cameras: Iterable<Camera>): Features {
  return collection(
    Array.from(cameras, (camera) => ({
      type: 'Feature',
      properties: { id: camera.camera_id, condition: look(camera) },
      geometry: { type: 'Point', coordinates: camera.position },
    })),
  );
}

// A street camera tells a bag from a box up to about 60 m, and sees some 60 degrees.
const SIGHT_M = 60;
const SIGHT_DEG = 60;
const STEPS = 6;

/** Fields of view as wedges, for cameras whose bearing is known. */
export function sightFeatures(cameras: Iterable<Camera>): Features {
  const known = Array.from(cameras).filter((camera) => camera.bearing_deg !== null);
  return collection(
    known.map((camera) => ({
      type: 'Feature',
      properties: { id: camera.camera_id },
      geometry: { type: 'Polygon', coordinates: [wedge(camera.position as Position, camera.bearing_deg ?? 0)] },
    })),
  );
}

function wedge(from: Position, bearing: number): Position[] {
  const points = [from];
  for (let step = 0; step <= STEPS; step += 1) {
    const angle = ((bearing - SIGHT_DEG / 2 + (SIGHT_DEG * step) / STEPS) * Math.PI) / 180;
    points.push(offset(from, SIGHT_M * Math.sin(angle), SIGHT_M * Math.cos(angle)));
  }
  return closed(points);
}

function offset([lon, lat]: Position, east: number, north: number): Position {
  const metresPerDegree = 111_320;
  return [lon + east / (metresPerDegree * Math.cos((lat * Math.PI) / 180)), lat + north / metresPerDegree];
}

const RANK: Sign[] = ['suspected', 'none', 'calm', 'soon', 'overdue'];

/** What a mark says: how a promise stands, or that a person has to confirm it first. */
export type Sign = Urgency | 'suspected';

/** A mark on the map: the incidents at one place, drawn as the most pressing of them. */
export interface Mark {
  position: Position;
  sign: Sign;
  ids: string[];
}

/** Incidents of one camera share its position: one mark for each place, so that none hides another. */
export function marks(incidents: Iterable<Incident>, now: number): Mark[] {
  const places = new Map<string, Mark>();
  for (const incident of incidents) {
    const sign: Sign = incident.state === 'suspected' ? 'suspected' : timeLeft(incident, now).urgency;
    const [lon, lat] = incident.position;
    // Four decimals of a degree are about ten metres.
    const place = `${lon.toFixed(4)},${lat.toFixed(4)}`;
    const mark = places.get(place) ?? { position: [lon, lat], sign, ids: [] };
    mark.ids.push(incident.incident_id);
    if (RANK.indexOf(sign) > RANK.indexOf(mark.sign)) mark.sign = sign;
    places.set(place, mark);
  }
  return [...places.values()];
}

export function markFeatures(list: readonly Mark[]): Features {
  return collection(
    list.map((mark) => ({
      type: 'Feature',
      properties: { ids: mark.ids.join(' '), icon: iconName(mark.sign, mark.ids.length), rank: RANK.indexOf(mark.sign) },
      geometry: { type: 'Point', coordinates: mark.position },
    })),
  );
}

// More than nine at one place are drawn as 9+.
export const iconName = (sign: Sign, count: number): string => `${sign}-${count > 9 ? '9+' : count}`;

/** West, south, east, north around all cells and cameras, or null when there is nothing to show. */
export function extent(cells: readonly Cell[], cameras: Iterable<Camera>): [number, number, number, number] | null {
  const points = [...cells.flatMap((cell) => cell.boundary as Position[]), ...Array.from(cameras, (camera) => camera.position as Position)];
  if (!points.length) return null;
  const lons = points.map(([lon]) => lon);
  const lats = points.map(([, lat]) => lat);
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}

/** Where a cell's name stands: above its middle, out of the way of what happens there. */
export function labelPlace(boundary: readonly Position[]): Position {
  const sum = boundary.reduce<Position>(([x, y], [lon, lat]) => [x + lon, y + lat], [0, 0]);
  const [lon, lat] = [sum[0] / boundary.length, sum[1] / boundary.length];
  const north = Math.max(...boundary.map((corner) => corner[1]));
  return [lon, lat + 0.6 * (north - lat)];
}

function closed(ring: Position[]): Position[] {
  const [first, last] = [ring[0], ring.at(-1)];
  return first && last && (first[0] !== last[0] || first[1] !== last[1]) ? [...ring, first] : ring;
}
