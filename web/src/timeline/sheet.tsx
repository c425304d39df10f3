// A room on the sheet: head, timeline, sill and composer.
import { useEffect, useMemo } from 'preact/hooks';

import { FreshRoom } from '../app/blank';
import { useWorld } from '../app/world';
import { Composer } from '../composer/composer';
import { LineWords, useLine } from '../line/line';
import { looksAfter, type Conversation, type RoomRow } from '../model';
import { hereCount, isHere } from '../people/where';
import { ticking } from '../ui/clock';
import { RoomFace } from '../ui/faces';
import { Icon } from '../ui/icons';
import { later } from '../ui/later';
import { Menu, MenuItem } from '../ui/menu';
import { seenLabel } from '../ui/times';
import { t } from '../words';
import { Doing, showMessage } from './doing';
import { Reading } from './reading';
import { Sill } from './sillstrip';
import { Timeline } from './timeline';

/** The menu of a message comes with its own chunk. */
const Actions = later(() => import('./actions').then((part) => part.Actions));

export function RoomSheet({ room }: { room: RoomRow }) {
  const { place, nav } = useWorld();
  const conversation = useMemo(() => place.open(room.id), [place, room.id]);
  const reading = useMemo(() => new Reading(conversation, place.me.id), [conversation, place]);
  const doing = useMemo(() => new Doing(), [conversation]);
  const entries = conversation.entries.value;
  // What lay under a dialog, or under the people of a narrow screen, is in view again.
  const covered = nav.over || nav.asking.value !== undefined;
  useEffect(() => {
    reading.covered = covered;
    if (!covered) reading.settle();
  }, [reading, covered]);
  const fresh = !conversation.hasOlder.value && entries.every((entry) => entry.kind === 'room');
  return (
    <div class="sheet-in">
      <Head room={room} />
      <Pinned room={room} conversation={conversation} />
      <div class="stream">
        {fresh ? <FreshRoom room={room} /> : <Timeline room={room} conversation={conversation} reading={reading} doing={doing} />}
      </div>
      <div class="dock">
        <Sill reading={reading} conversation={conversation} />
        <Composer room={room} conversation={conversation} doing={doing} fresh={fresh} onSent={() => reading.toEnd()} />
      </div>
      {doing.menu.value && <Actions room={room} conversation={conversation} doing={doing} />}
    </div>
  );
}

/** The message pinned last, if it is held here; a press shows it. */
function Pinned({ room, conversation }: { room: RoomRow; conversation: Conversation }) {
  const held = room.pins.flatMap((seq) => conversation.bySeq.value.get(seq) ?? []);
  const entry = held.findLast(({ removed }) => !removed);
  if (entry?.seq === undefined) return null;
  const { seq, text } = entry;
  const words = text.split('\n', 1)[0] ?? '';
  return (
    <button type="button" class="pinned" data-testid="pinned" aria-label={t.pinnedWords(words)} onClick={() => showMessage(seq)}>
      <Icon name="pin" small />
      <span class="cut" dir="auto">
        {words}
      </span>
    </button>
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
        <div class="titled">
          <h2 class="cut" dir="auto" data-testid="room-name">
            {room.name}
          </h2>
          {room.kind !== 'direct' && <HereBadge room={room} />}
        </div>
        {room.kind === 'direct' ? <Whereabouts room={room} /> : <div class="topic cut">{topic(room)}</div>}
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

/** How many of a room are there now. */
function HereBadge({ room }: { room: RoomRow }) {
  const { place } = useWorld();
  const count = hereCount(place, room.id);
  if (count === undefined) return null;
  return (
    <span class="here num" data-testid="here-count">
      {t.hereNow(count)}
    </span>
  );
}

const now = ticking(60_000);

/** Where the other one of a direct room is: here, or when they were there last. */
function Whereabouts({ room }: { room: RoomRow }) {
  const { place } = useWorld();
  const peer = room.peer ?? '';
  const here = isHere(place, room.id, peer);
  const seen = place.here.value?.room(room.id).seen.value.get(peer);
  if (here === true) {
    return (
      <div class="topic is-here cut" data-testid="whereabouts" data-here="yes">
        {t.here}
      </div>
    );
  }
  const words = !place.live.value ? t.directRoom : seen !== undefined ? t.seen(seenLabel(seen, now.value)) : here === false ? t.away : t.directRoom;
  return (
    <div class="topic cut" data-testid="whereabouts" data-here={here === false ? 'no' : undefined}>
      {words}
    </div>
  );
}

function RoomMenu({ room }: { room: RoomRow }) {
  const { nav } = useWorld();
  const mayAdd = looksAfter(room);
  return (
    <Menu label={t.more} testid="room-menu" button={<Icon name="more" />}>
      {mayAdd && (
        <>
          <MenuItem icon="invite" testid="add-people" onClick={() => nav.ask({ kind: 'add-people', room: room.id })}>
            {t.addPeople}
          </MenuItem>
          <MenuItem icon="pencil" testid="edit-room" onClick={() => nav.ask({ kind: 'edit-room', room: room.id })}>
            {t.editRoom}
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
  if (room.topic) return room.topic;
  switch (room.kind) {
    case 'direct':
      return t.directRoom;
    case 'group':
      return t.people(room.members);
    case 'public':
      return t.publicRoom(room.members);
  }
}
