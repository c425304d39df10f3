// Calling on people by `@name`: what to offer while somebody types, and whom a text calls on. Pure.
import type { Person, RoomRow } from '../model';
import { looksAfter } from '../model';
import { mentionAt } from '../timeline/text';

/** Offered at once. */
const offeredMax = 6;
/** People that one message may call on (docs/protocol.md, limits). */
const mentionsMax = 50;
/** Above this size, and in public rooms, only who looks after a room may call on all of it. */
const wholeMax = 256;
/** Everybody in the room; no id, so it is nobody's. */
export const wholeRoom = 'room';

/** What is being typed after an `@`, and where that stands; nothing if the caret is elsewhere. */
export function typedName(text: string, caret: number): { from: number; start: string } | undefined {
  const match = /(?:^|\s)@([^\s@]{0,64})$/u.exec(text.slice(0, caret));
  const start = match?.[1];
  return start === undefined ? undefined : { from: caret - start.length - 1, start };
}

function mayCallAll(room: RoomRow): boolean {
  return looksAfter(room) || (room.kind !== 'public' && room.members <= wholeMax);
}

/** Who may be meant by what was typed: people of the room, and the room itself. */
export function offers(start: string, people: readonly Person[], room: RoomRow, me: string): Person[] {
  const wanted = start.toLocaleLowerCase();
  const all = mayCallAll(room) && room.kind !== 'direct' ? [{ id: wholeRoom, name: wholeRoom }] : [];
  return [...people.filter(({ id, name }) => id !== me && name), ...all]
    .filter(({ name }) => name.toLocaleLowerCase().startsWith(wanted))
    .slice(0, offeredMax);
}

/** Whom a text calls on: ids of people, or `room`. */
export function mentionsIn(text: string, people: readonly Person[], room: RoomRow): string[] {
  if (!text.includes('@')) return [];
  const called = people.filter(({ name }) => name !== '' && mentionAt(text, name) >= 0).map(({ id }) => id);
  const all = mayCallAll(room) && mentionAt(text, wholeRoom) >= 0 ? [wholeRoom] : [];
  return [...all, ...called].slice(0, mentionsMax);
}
