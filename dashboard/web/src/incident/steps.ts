import type { Step } from '@/api/types';

/** The order of the buttons: what usually comes next stands first. */
export const BUTTON_ORDER: Step[] = [
  'accept', 'confirm_gone', 'confirm_still_there', 'resolve', 'assign', 'receive', 'return', 'nothing_here', 'extend', 'suspend',
  'resume', 'merge', 'reopen', 'verify',
];

type Field = 'person' | 'reason' | 'return_reason' | 'photo' | 'minutes' | 'into' | 'confirm';

/** What a step's form asks for. A step without an entry is taken at once. */
const ASKS: Partial<Record<Step, Field[]>> = {
  assign: ['person'],
  resolve: ['photo'],
  return: ['return_reason'],
  nothing_here: ['confirm'],
  extend: ['reason'],
  suspend: ['reason'],
  merge: ['into'],
  reopen: ['reason'],
};

export const asksFor = (step: Step): Field[] => ASKS[step] ?? [];
export const asksFirst = (step: Step): boolean => asksFor(step).length > 0;
