// A room on the sheet: head, timeline, sill and composer.
import { useMemo } from 'preact/hooks';

import { FreshRoom } from '../app/blank';
import { useWorld } from '../app/world';
import { Composer } from '../composer/composer';
import { LineWords, useLine } from '../line/line';
import type { RoomRow } from '../model';
import { RoomFace } from '../ui/faces';
import { Icon } from '../ui/icons';
import { Menu, MenuItem } from '../ui/menu';
import { t } from '../words';
import { Reading } from './reading';
import { Sill } from './sillstrip';
import { Timeline } from './timeline';

export function RoomSheet({ room }: { room: RoomRow }) {
  const { place } = useWorld();
  const conversation = useMemo(() => place.open(room.id), [place, room.id]);
  const reading = useMemo(() => new Reading(conversation, place.me.id), [conversation, place]);
  const entries = conversation.entries.value;
  const fresh = !conversation.hasOlder.value && entries.every((entry) => entry.kind === 'room');
  return (
    <div class="sheet-in">
      <Head room={room} />
      <div class="stream">
        {fresh ? <FreshRoom room={room} /> : <Timeline room={room} conversation={conversation} reading={reading} />}
      </div>
      <div class="dock">
        <Sill reading={reading} conversation={conversation} />
        <Composer room={room} conversation={conversation} fresh={fresh} onSent={() => reading.toEnd()} />
      </div>
    </div>
  );
}

function Head({ room }: { room: RoomRow }) {
  const { nav } = useWorld();
  const view = useLine();
  const away = view.look !== 'connected' && view.word !== '';
  return (
    <header class="head">
      <button type="button" class="ib narrow-only" aria-label={t.backToRooms} data-testid="back" onClick={() => nav.back()}>
        <Icon name="back" flip />
      </button>
      <span class="narrow-only head-face">
        <RoomFace room={room} size={34} />
      </span>
      <div class="grow">
        <h2 class="cut" dir="auto" data-testid="room-name">
          {room.name}
        </h2>
        <div class="topic cut">{topic(room)}</div>
        {away && <LineWords />}
      </div>
      <button
        type="button"
        class="ib"
        aria-label={t.peopleTitle}
        aria-pressed={nav.people}
        data-testid="people"
        onClick={() => nav.togglePeople()}
      >
        <Icon name="people" />
      </button>
      {room.kind !== 'direct' && <RoomMenu room={room} />}
    </header>
  );
}

function RoomMenu({ room }: { room: RoomRow }) {
  const { nav } = useWorld();
  const mayAdd = room.role === 'owner' || room.role === 'admin';
  return (
    <Menu label={t.more} testid="room-menu" button={<Icon name="more" />}>
      {mayAdd && (
        <>
          <MenuItem icon="invite" testid="add-people" onClick={() => nav.ask({ kind: 'add-people', room: room.id })}>
            {t.addPeople}
          </MenuItem>
          <hr />
        </>
      )}
      <MenuItem icon="exit" bad testid="leave-room" onClick={() => nav.ask({ kind: 'leave', room: room.id })}>
        {t.leaveRoom}
      </MenuItem>
    </Menu>
  );
}

function topic(room: RoomRow): string {
  switch (room.kind) {
    case 'direct':
      return t.directRoom;
    case 'group':
      return t.people(room.members);
    case 'public':
      return t.publicRoom(room.members);
  }
}
