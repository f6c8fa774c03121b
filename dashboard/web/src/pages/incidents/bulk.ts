import { ApiError } from '@/api/errors';
import type { Incident, Step } from '@/api/types';
import { asksFor, BUTTON_ORDER } from '@/incident/steps';

/** One incident's part of a bulk step. unsent: the server was not reached; the same key may go again. */
export interface Errand {
  incident: Incident;
  key: string;
  state: 'waiting' | 'sending' | 'done' | 'refused' | 'unsent';
  error: unknown;
}

// Three at a time: 200 incidents are through in seconds, and everybody else's pages stay quick.
const LANES = 3;

// A photo, the other incident, the sightings, the part: these are one incident's own and cannot be said for many.
const ITS_OWN = new Set(['photo', 'into', 'events', 'part']);
const forMany = (step: Step): boolean => !asksFor(step).some((field) => ITS_OWN.has(field));

/** The steps that the server allows this person for every one of them, in the order of the buttons. */
export function commonSteps(incidents: readonly Incident[]): Step[] {
  if (incidents.length === 0) return [];
  return BUTTON_ORDER.filter((step) => forMany(step) && incidents.every((incident) => incident.steps.includes(step)));
}

/** Sends each errand once. When the server cannot be reached the others are not tried; `stopped` ends it as well. */
export async function run(
  errands: Errand[],
  { send, told, stopped }: { send: (errand: Errand) => Promise<Incident>; told: () => void; stopped: () => boolean },
): Promise<void> {
  const waiting = errands.filter((errand) => errand.state === 'unsent' || errand.state === 'waiting');
  for (const errand of waiting) errand.state = 'waiting';
  let cut = false;
  const lane = async () => {
    for (let errand = waiting.shift(); errand; errand = waiting.shift()) {
      if (cut || stopped()) {
        errand.state = 'unsent';
        continue;
      }
      errand.state = 'sending';
      told();
      try {
        errand.incident = await send(errand);
        errand.state = 'done';
      } catch (error) {
        errand.error = error;
        const again = error instanceof ApiError && error.worthRetrying;
        errand.state = again ? 'unsent' : 'refused';
        cut ||= again;
      }
      told();
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  told();
}
