/** Folding: a line of the timeline with what later events made of it (docs/protocol.md, section 5). Pure. */

import type { Meta } from './store.js';
import type { Event, Folded } from './wire.js';

/** A line, and the seq of the last event that it takes into account. */
export interface Line {
  readonly event: Folded;
  readonly asOf: number;
}

/** The line after `event`, which is about it. Events that it has seen change nothing. */
export function fold(line: Line, event: Event): Line {
  if (event.seq <= line.asOf) return line;
  return { event: changed(line.event, event), asOf: event.seq };
}

/** The same for what is only wished for so far: a command has the names and fields of its event's body. */
export function changed(line: Folded, { kind, body, from, seq }: Pick<Event, 'kind' | 'from' | 'seq'> & { body: object }): Folded {
  // Nothing returns a redacted text, nor what people thought of it.
  if (line.redacted || line.kind !== 'message') return line;
  const { text, emoji, on } = body as { text: string; emoji: string; on: boolean };
  switch (kind as string) {
    case 'redact': {
      const { edited: _edited, reactions: _reactions, reply_to: _answered, mentions: _called, ...rest } = line;
      return { ...rest, body: { text: '' }, redacted: seq };
    }
    case 'edit':
      return { ...line, body: { text }, edited: seq };
    case 'react':
    case 'reaction': {
      const [user] = from;
      const others = (line.reactions ?? []).filter(([its, whose]) => its !== emoji || whose !== user);
      return { ...line, reactions: on ? [...others, [emoji, user]] : others };
    }
  }
  return line;
}

/** Who one is, for what counts. */
export type Self = Pick<Meta, 'user' | 'blocks'>;

/** Whether a line counts as unread: the server's own definition (docs/protocol.md, section 7). */
export function countable({ kind, from: [author], redacted }: Folded, { user, blocks }: Self): boolean {
  return kind === 'message' && author !== user?.id && !redacted && !blocks?.includes(author);
}

/** Whether a line calls on one, by name or as part of the room. */
export function calls(line: Folded, { user }: Self): boolean | undefined {
  return line.mentions?.some((one) => one === user?.id || one === 'room');
}
