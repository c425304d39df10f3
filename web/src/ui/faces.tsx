// People are speech shapes in colour, rooms quiet tiles in ink.
import type { ComponentChildren } from 'preact';

import type { Person, RoomRow } from '../model';
import { hueOf, initials, roomLetters } from './letters';
import { Icon } from './icons';
import { pictureOf } from './pictures';

type Size = 24 | 30 | 34 | 36;

/** `here`: whether the person is there now; a sign is shown if it is known, beside words that say it. */
export function Face({ person, size = 36, here }: { person: Person; size?: Size; here?: boolean | undefined }) {
  const on = here === undefined ? undefined : here ? 'yes' : 'no';
  return (
    <span class="face" style={{ '--n': hueOf(person.id) }} data-size={size} data-on={on} aria-hidden="true">
      <Picture avatar={person.avatar}>{initials(person.name)}</Picture>
    </span>
  );
}

/** A direct room shows the other person's face. */
export function RoomFace({ room, size = 36, here }: { room: RoomRow; size?: Size; here?: boolean | undefined }) {
  if (room.kind === 'direct') {
    return <Face person={{ id: room.peer ?? room.id, name: room.name, avatar: room.avatar }} size={size} here={here} />;
  }
  return <Tile isPublic={room.kind === 'public'} name={room.name} avatar={room.avatar} size={size} />;
}

interface TileProps {
  isPublic: boolean;
  name: string;
  avatar?: string | undefined;
  size?: Size;
}

export function Tile({ isPublic, name, avatar, size = 36 }: TileProps) {
  return (
    <span class="tile" data-size={size} aria-hidden="true">
      <Picture avatar={avatar}>{isPublic ? <Icon name="hash" /> : roomLetters(name)}</Picture>
    </span>
  );
}

/** In the place of the letters, once it is here. */
function Picture({ avatar, children }: { avatar: string | undefined; children: ComponentChildren }) {
  const url = pictureOf(avatar);
  return url ? <img src={url} alt="" draggable={false} /> : <>{children}</>;
}
