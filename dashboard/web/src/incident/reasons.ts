/** Why a task goes back to routing. Kept as codes in the event log, so that returns can be counted by reason. */
export const RETURN_REASONS = ['wrong_area', 'wrong_department', 'wrong_place', 'no_access', 'needs_equipment', 'unsafe'] as const;

export type ReturnReason = (typeof RETURN_REASONS)[number];

export const isReturnReason = (text: string): text is ReturnReason => (RETURN_REASONS as readonly string[]).includes(text);
