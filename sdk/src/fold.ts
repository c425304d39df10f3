/** Folding: a line of the timeline with what later events made of it (docs/protocol.md, section 5). Pure. */

import type { Event, Folded } from './wire.js';

/** A line, and the seq of the last event that it takes into account. */
export interface Line {
  readonly event: Folded;
  readonly asOf: number;
}

/** Kinds that change another line instead of having their own. Unknown kinds get one: "update to see". */
export function hasLine(event: Event): boolean {
  return !['edit', 'redact', 'reaction'].includes(event.kind);
}

/** The line after `event`, which is about it. Events that it has seen change nothing. */
export function fold(line: Line, event: Event): Line {
  if (event.seq <= line.asOf) return line;
  return { event: changed(line.event, event), asOf: event.seq };
}

function changed(line: Folded, event: Event): Folded {
  // Nothing returns a redacted text, nor what people thought of it.
  if (line.redacted) return line;
  switch (event.kind) {
    case 'redact': {
      const { edited: _edited, reactions: _reactions, ...rest } = line;
      return (
        line.kind === 'message' ? { ...rest, body: { text: '' }, redacted: event.seq } : { ...rest, redacted: event.seq }
      ) as Folded;
    }
    case 'edit':
      return line.kind === 'message' ? { ...line, body: event.body, edited: event.seq } : line;
    case 'reaction': {
      const [user] = event.from;
      const { emoji, on } = event.body;
      const others = (line.reactions ?? []).filter(([its, whose]) => its !== emoji || whose !== user);
      return { ...line, reactions: on ? [...others, [emoji, user]] : others };
    }
    default:
      return line;
  }
}

/** Whether a line counts as unread for `me`: the server's own definition (docs/protocol.md, section 7). */
export function countable(line: Folded, me: string | undefined): boolean {
  return line.kind === 'message' && line.from[0] !== me && !line.redacted;
}
