// From a line of the SDK to an entry of the timeline. Pure.
import type { Message } from '@chinwag/client';

import type { Entry, Message as Words, Reaction } from './model';

/** One entry per message object and way of sending: the SDK makes a new object for each change. */
const entries = new WeakMap<Message, { live: boolean; entry: Entry }>();

/**
 * The entry that shows a message; `live` while the line is up. `banned` gathers who was sent away for good, from the
 * first line on: the same event says of them that they may come back, and of others that they were removed.
 */
export function entryOf(message: Message, live: boolean, me: string, banned?: Set<string>): Entry {
  const before = entries.get(message);
  const kept = before && (before.live === live || (message.status !== 'pending' && !message.changes.length));
  const entry = kept ? before.entry : read(message, live, me);
  if (entry.kind === 'member' && banned) {
    if (entry.state === 'banned') banned.add(entry.user);
    else if (banned.delete(entry.user) && entry.state === 'removed') entry.state = 'unbanned';
  }
  if (!kept) entries.set(message, { live, entry });
  return entry;
}

function read(message: Message, live: boolean, me: string): Entry {
  const placed = { key: message.key, seq: message.seq, from: message.from, ts: message.ts };
  const { event } = message;
  if (message.kind === 'message') return { ...placed, ...words(message, live, me) };
  switch (event?.kind) {
    case 'member':
      return { ...placed, kind: 'member', user: event.body.user, state: event.body.state };
    case 'room':
      return { ...placed, kind: 'room' };
    case 'settings':
      return { ...placed, kind: 'settings', name: event.body.name, topic: event.body.topic, avatar: event.body.avatar };
    case 'role':
      return { ...placed, kind: 'role', ...event.body };
    default:
      return { ...placed, kind: 'unreadable' };
  }
}

function words(message: Message, live: boolean, me: string): Omit<Words, 'key' | 'seq' | 'from' | 'ts'> {
  const refused = message.changes.find(({ status }) => status === 'failed');
  return {
    kind: 'message',
    text: message.text,
    sealed: 'enc' in (message.event?.body ?? {}),
    sending: message.status === 'pending' ? (live ? 'sending' : 'queued') : message.status,
    why: message.error?.code,
    edited: message.edited,
    removed: message.redacted,
    replyTo: message.replyTo,
    mentions: message.mentions,
    reactions: reactionsOf(message.reactions, me),
    changing: message.changes.some(({ status }) => status === 'pending'),
    refused: refused && { key: refused.key, what: refused.frame.type, why: refused.error?.code },
  };
}

/** By emoji, in the order in which each came first. */
function reactionsOf(pairs: Message['reactions'], me: string): Reaction[] {
  const users = new Map<string, string[]>();
  for (const [emoji, user] of pairs) users.set(emoji, [...(users.get(emoji) ?? []), user]);
  return [...users].map(([emoji, list]) => ({ emoji, users: list, mine: list.includes(me) }));
}
