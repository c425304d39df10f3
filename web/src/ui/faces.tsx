// People are speech shapes in colour, rooms quiet tiles in ink.
import type { Person, RoomRow } from '../model';
import { hueOf, initials, roomLetters } from './letters';
import { Icon } from './icons';

type Size = 24 | 30 | 34 | 36;

/** `here`: whether the person is there now; a sign is shown if it is known, beside words that say it. */
export function Face({ person, size = 36, here }: { person: Person; size?: Size; here?: boolean | undefined }) {
  const on = here === undefined ? undefined : here ? 'yes' : 'no';
  return (
    <span class="face" style={{ '--n': hueOf(person.id) }} data-size={size} data-on={on} aria-hidden="true">
      {initials(person.name)}
    </span>
  );
}

/** A direct room shows the other person's face. */
export function RoomFace({ room, size = 36, here }: { room: RoomRow; size?: Size; here?: boolean | undefined }) {
  if (room.kind === 'direct') {
    return <Face person={{ id: room.peer ?? room.id, name: room.name }} size={size} here={here} />;
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
