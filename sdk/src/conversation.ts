/**
 * `@chinwag/client/conversation`: what one does to messages, rooms and the people in them.
 *
 * Commands about messages go the way of messages: shown at once, kept on the device, sent in order with the messages of
 * their room, also after a reload. What is refused is taken back, and stands in `message.changes` with its reason until
 * `room.resend(key)` or `room.discard(key)`. The others are asked for and waited for, and reject with a `ChatError`
 * after 30 s at most; their answers change rooms by the events that they cause.
 */

import type { Chat, Room, Sent } from './types.js';
import type { Daily, DirectoryRow, EditRow, InviteRow, NotifyLevel, Profile, Role, ServerFrame } from './wire.js';

/** What the server answers. */
type Says<T extends ServerFrame['type']> = Extract<ServerFrame, { type: T }>;

/** Another text for a message of one's own. */
export function edit(room: Room, target: number, text: string): Sent {
  return room.post({ type: 'edit', target, text: text.toWellFormed() });
}

/** A message away, for everybody. One that is gone already is no error; then its `seq` is infinite. */
export function redact(room: Room, target: number): Sent {
  return room.post({ type: 'redact', target });
}

/** A reaction put on or taken off: one character as people see it. */
export function react(room: Room, target: number, emoji: string, on = true): Sent {
  return room.post({ type: 'react', target, emoji, on });
}

/** A message pinned or unpinned. The room's `pins` follow when the server has done it. */
export function pin(room: Room, target: number, on = true): Sent {
  return room.post({ type: 'pin', target, on });
}

/** Another name, topic or picture; what is left out stays. An empty topic is none, and so is `null` for a picture. */
export function configure(
  room: Room, { name, topic, avatar }: { name?: string; topic?: string; avatar?: string | null },
): Promise<string> {
  const texts = { name: name?.toWellFormed(), topic: topic?.toWellFormed() };
  return room.chat.command({ type: 'configure', room: room.id, ...texts, avatar });
}

/** Another role for somebody. */
export function setRole(room: Room, user: string, role: Role): Promise<string> {
  return room.chat.command({ type: 'role', room: room.id, user, role });
}

/** Somebody's voice taken, or given back. */
export function mute(room: Room, user: string, on = true): Promise<string> {
  return room.chat.command({ type: 'mute', room: room.id, user, on });
}

/** Somebody sent away for good. */
export function ban(room: Room, user: string): Promise<string> {
  return room.chat.command({ type: 'ban', room: room.id, user, on: true });
}

/** Somebody may come back. */
export function unban(room: Room, user: string): Promise<string> {
  return room.chat.command({ type: 'ban', room: room.id, user, on: false });
}

/** Into a public room. */
export function join(room: Room): Promise<string> {
  return room.chat.command({ type: 'join', room: room.id });
}

/**
 * Into a room by the token of a link; the room's id. Rejects with `bad_invite`, whatever is wrong with the link.
 * Take the token from the fragment of the page's address, where it reaches no log.
 */
export async function joinBy(chat: Chat, token: string): Promise<string> {
  const { room } = await chat.ask({ type: 'invitation', token });
  return chat.command({ type: 'join', room, invite: token });
}

/** Where a link leads: the room's id, kind, name, topic and number of members. */
export function invitation(chat: Chat, token: string): Promise<Says<'invitation'>> {
  return chat.ask({ type: 'invitation', token });
}

/**
 * A link that lets people in, for seven days and as many as there is place for unless said otherwise. Its `token` is
 * said this once.
 */
export function invite(
  { id: room, chat }: Room, { expiresInMs, uses }: { expiresInMs?: number; uses?: number } = {},
): Promise<Says<'invite'>> {
  return chat.ask({ type: 'invite', room, expires_in_ms: expiresInMs, uses });
}

/** The links that still let somebody in, without their tokens. */
export async function invites({ id: room, chat }: Room): Promise<InviteRow[]> {
  return (await chat.ask({ type: 'invites', room })).invites;
}

/** A link lets nobody in any more. */
export async function revokeInvite({ id: room, chat }: Room, id: string): Promise<void> {
  await chat.ask({ type: 'revoke_invite', room, invite: id });
}

/** Somebody asked in, who accepts by `join` and declines by `leave`. */
export function inviteUser(room: Room, user: string): Promise<string> {
  return room.chat.command({ type: 'invite_user', room: room.id, user });
}

/** The texts that a message has had, oldest first: itself as it was sent, then each edit. */
export async function edits({ id: room, chat }: Room, target: number): Promise<EditRow[]> {
  const all: EditRow[] = [];
  for (;;) {
    const page = await chat.ask({ type: 'edits', room, target, after: all.at(-1)?.seq });
    all.push(...page.edits);
    if (!page.more || !page.edits.length) return all;
  }
}

/** Out of a room. */
export function leave(room: Room): Promise<string> {
  return room.chat.command({ type: 'leave', room: room.id });
}

/** Somebody let in. */
export function add(room: Room, user: string): Promise<string> {
  return room.chat.command({ type: 'add', room: room.id, user });
}

/** Somebody sent away, who may come back. */
export function remove(room: Room, user: string): Promise<string> {
  return room.chat.command({ type: 'remove', room: room.id, user });
}

/** All who are in. */
export async function members({ id: room, chat }: Room): Promise<Array<{ user: string; role: Role }>> {
  const all: Array<{ user: string; role: Role }> = [];
  for (;;) {
    const page = await chat.ask({ type: 'members', room, after: all.at(-1)?.user });
    all.push(...page.members.map(([user, role]) => ({ user, role })));
    if (!page.more || !page.members.length) return all;
  }
}

/** What of a room one wants to be notified of, and until when of nothing, in ms (0: no longer). What is left out stays. */
export async function notify(room: Room, { level, quietUntil }: { level?: NotifyLevel; quietUntil?: number }): Promise<void> {
  await room.chat.ask({ type: 'notify', room: room.id, level, quiet_until: quietUntil });
}

/** When nothing shall disturb one: until a time in ms (0: no longer), or daily in minutes UTC. What is left out stays. */
export async function quiet(chat: Chat, { until, daily }: { until?: number; daily?: Daily }): Promise<void> {
  await chat.ask({ type: 'settings', dnd_until: until, dnd_daily: daily });
}

/** Somebody blocked: no direct messages between the two, and nothing of theirs unread. */
export async function block(chat: Chat, user: string): Promise<void> {
  await chat.ask({ type: 'block', user, on: true });
}

/** Somebody no longer blocked. */
export async function unblock(chat: Chat, user: string): Promise<void> {
  await chat.ask({ type: 'block', user, on: false });
}

/** A new group or public room; its id. */
export function create(chat: Chat, kind: 'group' | 'public', name: string): Promise<string> {
  return chat.command({ type: 'create', kind, name: name.toWellFormed() });
}

/** The direct room with `user`, made if it is not there; its id. */
export function direct(chat: Chat, user: string): Promise<string> {
  return chat.command({ type: 'direct', user });
}

/** Somebody by exact name. */
export async function find(chat: Chat, name: string): Promise<Profile | undefined> {
  const { users } = await chat.ask({ type: 'profiles', name: name.toWellFormed() });
  return users[0];
}

/** The public rooms. */
export async function directory(chat: Chat): Promise<DirectoryRow[]> {
  const all: DirectoryRow[] = [];
  for (;;) {
    const page = await chat.ask({ type: 'directory', after: all.at(-1)?.room });
    all.push(...page.rooms);
    if (!page.more || !page.rooms.length) return all;
  }
}
