/** When to come back after a connection ended: docs/protocol.md, sections 9 and 13. Pure. */

import type { Random } from './env.js';

/** Longest waits of the schedule in ms; each is multiplied by a number in [0, 1). */
export const STEPS_MS = [1000, 2000, 4000, 8000, 16000];
/** Between silent tries once the schedule is used up, ± half. */
export const SILENT_MS = 60_000;

/** The wait before try `attempt` (0 is the first after a loss), or nothing when the schedule is used up. */
export function wait(attempt: number, random: Random): number | undefined {
  const step = STEPS_MS[attempt];
  return step && Math.floor(step * random());
}

/** The wait before a silent try. */
export function silentWait(random: Random): number {
  return SILENT_MS * (0.5 + random());
}

/** What the number in a close frame, if there is one, says about coming back. */
export type ComeBack = 'soon' | 'later' | 'token' | 'never';

const RANGES: Record<number, ComeBack> = { 41: 'later', 42: 'token' };

export function comeBack(code = 0): ComeBack {
  return /^(100[23789]|43..)$/.test(`${code}`) ? 'never' : (RANGES[Math.floor(code / 100)] ?? 'soon');
}
