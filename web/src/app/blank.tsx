// The sheet without a conversation, and a conversation without words.
import { useComputed } from '@preact/signals';

import type { RoomRow } from '../model';
import { Icon } from '../ui/icons';
import { t } from '../words';
import { useWorld } from './world';

function Drawing() {
  return (
    <svg class="blank-art" viewBox="0 0 120 84" fill="none" stroke-width="4" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      <path d="M14 12h52a10 10 0 0 1 10 10v20a10 10 0 0 1-10 10H24L10 62V22" class="blank-speech" />
      <circle cx="98" cy="60" r="14" class="blank-ring" stroke-dasharray="66 100" transform="rotate(90 98 60)" />
      <circle cx="109" cy="71" r="5" class="blank-dot" />
    </svg>
  );
}

/** What there is to do while no room is open: on the sheet, and in a list that is empty. */
export function Start() {
  const { place, nav } = useWorld();
  const none = useComputed(() => place.rooms.value.length === 0).value;
  return (
    <div class="blank" data-testid="start">
      <Drawing />
      <h2>{none ? t.noRooms : t.chooseRoom}</h2>
      <p>{none ? t.noRoomsHelp : t.chooseRoomHelp}</p>
      <div class="acts">
        <button type="button" class="btn btn-main" onClick={() => nav.ask({ kind: 'new-room' })}>
          <Icon name="plus" /> {t.newRoom}
        </button>
        <button type="button" class="btn btn-soft" onClick={() => nav.ask({ kind: 'directory' })}>
          <Icon name="globe" /> {t.joinRoom}
        </button>
        <button type="button" class="btn btn-soft" onClick={() => nav.ask({ kind: 'new-message' })}>
          <Icon name="pencil" /> {t.newMessage}
        </button>
      </div>
    </div>
  );
}

/** Nothing is chosen, or nothing is there to choose. */
export function NoRoom({ missing }: { missing: boolean }) {
  const { nav } = useWorld();
  return (
    <div class="sheet-in">
      {missing && (
        <header class="head narrow-only">
          <button type="button" class="ib" aria-label={t.backToRooms} onClick={() => nav.back()}>
            <Icon name="back" flip />
          </button>
        </header>
      )}
      <div class="stream">
        <Start />
      </div>
    </div>
  );
}

/** Nobody has said anything in it yet. */
export function FreshRoom({ room }: { room: RoomRow }) {
  const { nav } = useWorld();
  const mayAdd = room.kind !== 'direct' && (room.role === 'owner' || room.role === 'admin');
  return (
    <div class="blank">
      <Drawing />
      <h2>{t.freshRoom}</h2>
      <p>{room.kind === 'direct' ? t.freshDirectHelp(room.name) : t.freshRoomHelp}</p>
      {mayAdd && (
        <div class="acts">
          <button type="button" class="btn btn-main" onClick={() => nav.ask({ kind: 'add-people', room: room.id })}>
            <Icon name="invite" /> {t.invitePeople}
          </button>
        </div>
      )}
    </div>
  );
}
