// "Back. 3 messages went out.": when the line returns, and what waited has gone. Pure.

/** How a return goes. */
export type Return =
  | { at: 'up' }
  | { at: 'away' }
  /** The line is up, and so many waited when it came. */
  | { at: 'flushing'; waited: number };

/** The next step, and the number to tell when the last one has gone. */
export function onReturn(before: Return, connected: boolean, waiting: number): { next: Return; told?: number } {
  if (!connected) return { next: { at: 'away' } };
  switch (before.at) {
    case 'up':
      return { next: before };
    case 'away':
      // Nothing waited: the mark says enough.
      return { next: waiting > 0 ? { at: 'flushing', waited: waiting } : { at: 'up' } };
    case 'flushing':
      return waiting > 0 ? { next: before } : { next: { at: 'up' }, told: before.waited };
  }
}
