/** From logs and outbox to what a page shows. Pure. */

import type { Line } from './fold.js';
import type { RoomLog } from './log.js';
import type { Entry } from './outbox.js';
import type { Message, RoomInfo } from './types.js';

const lines = new WeakMap<Line, Message>();

/** The same object for the same line, so that a list renders only what changed. */
export function lineMessage(line: Line, me: string | undefined): Message {
  const known = lines.get(line);
  if (known) return known;
  const { event } = line;
  const message: Message = {
    key: event.key,
    room: event.room,
    seq: event.seq,
    kind: event.kind,
    text: event.kind === 'message' ? event.body.text : '',
    from: event.from[0],
    own: event.from[0] === me,
    ts: event.ts,
    status: 'sent',
    edited: event.edited !== undefined,
    redacted: event.redacted !== undefined,
    reactions: event.reactions ?? [],
    event,
  };
  lines.set(line, message);
  return message;
}

export function entryMessage({ key, room, seq, text, ts, status, error }: Entry, from = ''): Message {
  return { key, room, seq, kind: 'message', text, from, own: true, ts, status, error, edited: false, redacted: false, reactions: [] };
}

/** Lines by seq, then own ones that have none yet. */
export function windowOf(log: RoomLog | undefined, entries: Entry[], me: string | undefined): Message[] {
  const held = log?.lines.map((line) => lineMessage(line, me)) ?? [];
  // A page may bring the line before its ack does.
  const keys = new Set(entries.length > 0 ? held.map((message) => message.key) : []);
  return [...held, ...entries.filter(({ key }) => !keys.has(key)).map((entry) => entryMessage(entry, me))];
}

export function infoOf(log: RoomLog, me: string | undefined): RoomInfo {
  const { row, read, last } = log.record;
  return {
    id: row.room,
    kind: row.kind,
    name: row.name,
    peer: row.peer,
    state: row.me.state,
    role: row.me.role,
    members: row.members,
    head: row.head,
    read,
    unread: log.unread(me),
    last: last && lineMessage(last, me),
  };
}
