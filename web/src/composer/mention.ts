// Whom a text calls on by `@name`. Pure.
import type { Person, RoomRow } from '../model';
import { looksAfter } from '../model';
import { mentionAt } from '../timeline/text';

/** People that one message may call on (docs/protocol.md, limits). */
const mentionsMax = 50;
/** Above this size, and in public rooms, only who looks after a room may call on all of it. */
const wholeMax = 256;
/** Everybody in the room; no id, so it is nobody's. */
export const wholeRoom = 'room';

/** Whether one may call on the whole room. */
export function mayCallAll(room: RoomRow): boolean {
  return looksAfter(room) || (room.kind !== 'public' && room.members <= wholeMax);
}

/** Whom a text calls on: ids of people, or `room`. */
export function mentionsIn(text: string, people: readonly Person[], room: RoomRow): string[] {
  if (!text.includes('@')) return [];
  const called = people.filter(({ name }) => name !== '' && mentionAt(text, name) >= 0).map(({ id }) => id);
  const all = mayCallAll(room) && mentionAt(text, wholeRoom) >= 0 ? [wholeRoom] : [];
  return [...all, ...called].slice(0, mentionsMax);
}
