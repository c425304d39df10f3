/** From logs and outbox to what a page shows. Pure. */

import { changed, type Line } from './fold.js';
import type { RoomLog } from './log.js';
import type { Entry } from './outbox.js';
import type { Message, RoomInfo } from './types.js';
import type { Author, Event, Folded } from './wire.js';

/** What is true of most messages. */
const bare = { status: 'sent', reactions: [], mentions: [], changes: [] } as const;

const lines = new WeakMap<Line, Message>();

/** The same object for the same line, so that a list renders only what changed. */
export function lineMessage(line: Line, me: string | undefined): Message {
  const known = lines.get(line);
  if (known) return known;
  const { event } = line;
  const { kind, from } = event;
  const message: Message = {
    ...bare,
    ...event,
    text: kind === 'message' ? event.body.text : '',
    from: from[0],
    own: from[0] === me,
    edited: !!event.edited,
    redacted: !!event.redacted,
    replyTo: event.reply_to,
    event,
  };
  lines.set(line, message);
  return message;
}

/** One's own message that has no line yet. */
function entryMessage({ key, room, seq, frame, ts, status, error }: Entry, me: string | undefined): Message {
  const event = { ...frame, key, room, seq, ts, kind: 'message', body: frame, from: [me, 0] };
  return { ...lineMessage({ event: event as unknown as Folded, asOf: 0 }, me), status, error, event: undefined };
}

/** A line with what one has done to it oneself: shown at once, taken back if it is refused. */
function withChanges(line: Line, entries: Entry[], me: string | undefined): Message {
  const changes = entries.filter(({ frame }) => 'target' in frame && frame.target === line.event.seq);
  if (!changes.length) return lineMessage(line, me);
  let { event } = line;
  for (const { frame, status } of changes) {
    const wish = { kind: frame.type as Event['kind'], body: frame, from: [me!, 0] as Author, seq: Infinity };
    if (status !== 'failed') event = changed(event, wish);
  }
  return { ...lineMessage({ event, asOf: 0 }, me), changes };
}

/** Lines by seq, then own ones that have none yet. */
export function windowOf(log: RoomLog | undefined, entries: Entry[], me: string | undefined): Message[] {
  const held = (log?.lines ?? []).map((line) => withChanges(line, entries, me));
  // A page may bring the line before its ack does.
  const fresh = entries.filter(({ key, frame }) => frame.type === 'send' && !held.some((message) => message.key === key));
  return [...held, ...fresh.map((entry) => entryMessage(entry, me))];
}

export function infoOf(log: RoomLog | undefined, me: string | undefined): RoomInfo | undefined {
  if (!log) return undefined;
  const { row, read, last } = log.record;
  return {
    ...row,
    ...row.me,
    id: row.room,
    read,
    ...log.unread(),
    last: last && lineMessage(last, me),
  };
}
