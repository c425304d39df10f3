// Which names to offer while somebody types one. Pure.
import type { Person, RoomRow } from '../model';
import { mayCallAll, wholeRoom } from './mention';

/** Offered at once. */
const offeredMax = 6;

/** What is being typed after an `@`, and where that stands; nothing if the caret is elsewhere. */
export function typedName(text: string, caret: number): { from: number; start: string } | undefined {
  const match = /(?:^|\s)@([^\s@]{0,64})$/u.exec(text.slice(0, caret));
  const start = match?.[1];
  return start === undefined ? undefined : { from: caret - start.length - 1, start };
}

/** Who may be meant by what was typed: people of the room, and the room itself. */
export function offers(start: string, people: readonly Person[], room: RoomRow, me: string): Person[] {
  const wanted = start.toLocaleLowerCase();
  const all = mayCallAll(room) && room.kind !== 'direct' ? [{ id: wholeRoom, name: wholeRoom }] : [];
  const found = [...people.filter(({ id, name }) => id !== me && name), ...all]
    .filter(({ name }) => name.toLocaleLowerCase().startsWith(wanted))
    .slice(0, offeredMax);
  // A name that stands there whole needs no help: Enter is to send.
  return found.length === 1 && found[0]?.name.toLocaleLowerCase() === wanted ? [] : found;
}
