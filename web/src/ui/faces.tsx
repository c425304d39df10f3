// People are speech shapes in colour, rooms quiet tiles in ink.
import type { Person, RoomRow } from '../model';
import { hueOf, initials, roomLetters } from './letters';
import { Icon } from './icons';

type Size = 24 | 30 | 34 | 36;

export function Face({ person, size = 36 }: { person: Person; size?: Size }) {
  return (
    <span class="face" style={{ '--n': hueOf(person.id) }} data-size={size} aria-hidden="true">
      {initials(person.name)}
    </span>
  );
}

/** A direct room shows the other person's face. */
export function RoomFace({ room, size = 36 }: { room: RoomRow; size?: Size }) {
  if (room.kind === 'direct') {
    return <Face person={{ id: room.peer ?? room.id, name: room.name }} size={size} />;
  }
  return <Tile isPublic={room.kind === 'public'} name={room.name} size={size} />;
}

export function Tile({ isPublic, name, size = 36 }: { isPublic: boolean; name: string; size?: Size }) {
  return (
    <span class="tile" data-size={size} aria-hidden="true">
      {isPublic ? <Icon name="hash" /> : roomLetters(name)}
    </span>
  );
}
