// When the timeline follows, and what the sill above the composer counts. Pure.
import type { Entry } from '../model';
import { countFrom } from './rows';

/** Closer to the end than this, new messages are followed (ui.md, section 3). */
export const nearPx = 200;

/** The three numbers of a scroll container. */
export interface Scroll {
  top: number;
  height: number;
  full: number;
}

/** How far the end lies below the lower edge. */
export function distance(scroll: Scroll): number {
  return Math.max(0, scroll.full - scroll.height - scroll.top);
}

/** Whether new messages are followed from here. */
export function follows(scroll: Scroll): boolean {
  return distance(scroll) <= nearPx;
}

/** What stands at the end of the sill. */
export type Way = { kind: 'none' } | { kind: 'newest' } | { kind: 'new'; count: number };

/** The way down: with the number of messages of others that lie after the last one seen. */
export function wayDown(
  following: boolean,
  entries: readonly Entry[],
  seenSeq: number,
  me: string,
): Way {
  if (following) return { kind: 'none' };
  const count = countFrom(entries, seenSeq + 1, me);
  return count > 0 ? { kind: 'new', count } : { kind: 'newest' };
}
