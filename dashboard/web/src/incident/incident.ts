import type { Incident } from '@/api/types';

/** Nobody owes anything for it any more. */
export const isFinished = ({ state }: Pick<Incident, 'state'>): boolean => state === 'closed' || state === 'rejected' || state === 'merged';

/** The picture to recognise it by: the one it was opened with, which its box belongs to; else the newest of any kind. */
export function foundPicture(incident: Incident): string | null {
  return (incident.evidence.find((item) => item.role === 'found') ?? incident.evidence.at(-1))?.picture ?? null;
}

/** The place in words people use: cell and camera; null outside every cell. */
export const placeWords = (incident: Incident, between = ' '): string | null =>
  [incident.cell_name, incident.camera_name].filter(Boolean).join(between) || null;
