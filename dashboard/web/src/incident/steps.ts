import type { Step } from '@/api/types';

/** The order of the buttons: what usually comes next stands first. */
export const BUTTON_ORDER: Step[] = [
  'confirm', 'accept', 'confirm_gone', 'confirm_still_there', 'resolve', 'part_done', 'assign', 'receive', 'return', 'nothing_here', 'call_in', 'extend',
  'suspend', 'resume', 'merge', 'unmerge', 'split', 'appeal', 'reopen', 'verify',
];

/** The word asked for while a find is held: is it so, or is it not? */
export const JUDGING: Step[] = ['confirm', 'nothing_here'];

type Field = 'person' | 'reason' | 'return_reason' | 'photo' | 'minutes' | 'into' | 'confirm' | 'department' | 'part' | 'events';

/** What a step's form asks for. A step without an entry is taken at once. */
const ASKS: Partial<Record<Step, Field[]>> = {
  assign: ['person'],
  resolve: ['photo'],
  return: ['return_reason'],
  nothing_here: ['confirm'],
  extend: ['reason'],
  suspend: ['reason'],
  merge: ['into'],
  unmerge: ['confirm'],
  split: ['events'],
  reopen: ['reason'],
  call_in: ['department', 'reason'],
  part_done: ['part'],
  appeal: ['reason'],
};

export const asksFor = (step: Step): Field[] => ASKS[step] ?? [];
export const asksFirst = (step: Step): boolean => asksFor(step).length > 0;
