import { describe, expect, it } from 'vitest';
import { ApiError, unreachable } from '@/api/errors';
import type { Incident, Step } from '@/api/types';
import { commonSteps, run, type Errand } from './bulk';

const incident = (number: number, steps: Step[] = []): Incident => ({ incident_id: `i${number}`, number, steps }) as Partial<Incident> as Incident;
const errands = (count: number): Errand[] =>
  Array.from({ length: count }, (_, n) => ({ incident: incident(n), key: `k${n}`, state: 'waiting', error: null }));
const states = (list: Errand[]) => list.map(({ state }) => state);
const quiet = { told: () => undefined, stopped: () => false };

describe('the steps for many', () => {
  it('are those that every one allows', () => {
    expect(commonSteps([incident(1, ['assign', 'extend', 'nothing_here']), incident(2, ['nothing_here', 'assign'])])).toEqual(['assign', 'nothing_here']);
    expect(commonSteps([incident(1, ['confirm']), incident(2, ['reopen'])])).toEqual([]);
    expect(commonSteps([])).toEqual([]);
  });

  it('leave out what only one incident can bring', () => {
    expect(commonSteps([incident(1, ['resolve', 'split', 'merge', 'part_done', 'suspend'])])).toEqual(['suspend']);
  });
});

describe('a bulk step', () => {
  it('is sent once for each, with its own key', async () => {
    const list = errands(7);
    const sent: string[] = [];
    await run(list, { ...quiet, send: async ({ key, incident }) => (sent.push(key), incident) });
    expect(sent.sort()).toEqual(['k0', 'k1', 'k2', 'k3', 'k4', 'k5', 'k6']);
    expect(new Set(states(list))).toEqual(new Set(['done']));
  });

  it('goes on after a refusal', async () => {
    const list = errands(5);
    const refused = new ApiError(409, 'refused', { zh: '不能', en: 'no' });
    await run(list, { ...quiet, send: async (errand) => { if (errand.key === 'k1') throw refused; return errand.incident; } });
    expect(states(list)).toEqual(['done', 'refused', 'done', 'done', 'done']);
    expect(list[1]?.error).toBe(refused);
  });

  it('stops where the server is not reached, and goes on with the same keys', async () => {
    const list = errands(8);
    let down = true;
    const sent: string[] = [];
    const send = async (errand: Errand) => { if (down) throw unreachable(false); sent.push(errand.key); return errand.incident; };
    await run(list, { ...quiet, send });
    expect(new Set(states(list))).toEqual(new Set(['unsent']));
    down = false;
    await run(list, { ...quiet, send });
    expect(sent).toHaveLength(8);
    expect(new Set(states(list))).toEqual(new Set(['done']));
  });

  it('leaves the rest when a person says stop', async () => {
    const list = errands(20);
    let count = 0;
    await run(list, { ...quiet, stopped: () => count >= 4, send: async ({ incident }) => { count += 1; return incident; } });
    expect(states(list).filter((state) => state === 'unsent').length).toBeGreaterThan(10);
  });
});
