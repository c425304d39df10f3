// The people entry of the SDK as signals: who is there, who types, how far words have come.
//
// Comes with its own chunk, after the place is open: nothing that is shown at first needs it. A signal here costs
// something only while somebody looks at it.
import type { Chat, Readable } from '@chinwag/client';
import { people, setProfile, uploadAvatar, type RoomPeople } from '@chinwag/client/people';
import { signal, type ReadonlySignal } from '@preact/signals';

import type { Here, RoomHere } from './model';
import { Album, small } from './people/album';
import { look } from './ui/pictures';

/** Who was there last is asked at most so often in a room. */
const askMs = 3_000;

export function hereOf(chat: Chat, token: () => Promise<string>): Here {
  const all = people(chat);
  const album = new Album(token);
  look.value = (id) => album.look(id);
  const rooms = new Map<string, RoomHere>();
  return {
    shown: follow(all.settings),
    room(id) {
      const room = rooms.get(id) ?? roomHere(all.room(id), chat);
      rooms.set(id, room);
      return room;
    },
    show: (change) => all.set(change),
    async introduce({ name, picture }) {
      const avatar = picture && (await uploadAvatar(await small(picture), { token }));
      await setProfile(chat, { ...(name !== undefined && { displayName: name }), ...(avatar !== undefined && { avatar }) });
    },
    end() {
      all.end();
      look.value = undefined;
      album.end();
    },
  };
}

function roomHere(room: RoomPeople, chat: Chat): RoomHere {
  return {
    presence: follow(room.presence),
    typing: follow(room.typing),
    receipts: follow(room.receipts),
    seen: lastSeen(room, chat),
    typed: () => room.typed(),
    paused: () => room.paused(),
    readers: (seq) => room.readers(seq),
  };
}

/** A value of the SDK, followed while somebody looks at it. */
function follow<T>(readable: Readable<T>): ReadonlySignal<T> {
  let stop: (() => void) | undefined;
  const followed = signal(readable.get(), {
    watched() {
      stop = readable.subscribe((value) => (followed.value = value));
    },
    unwatched() {
      stop?.();
    },
  });
  return followed;
}

/**
 * When people were there last: asked when somebody looks, and again when presence has changed. Who has just gone is told
 * before the moment is stored: where one is missing, it is asked for once more.
 */
function lastSeen(room: RoomPeople, chat: Chat): ReadonlySignal<ReadonlyMap<string, number>> {
  let ends: Array<() => void> = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let askedAt = -Infinity;
  let more = true;
  const ask = async () => {
    timer = undefined;
    if (chat.state !== 'connected' || ends.length === 0) return;
    askedAt = Date.now();
    try {
      const people = await room.who();
      seen.value = new Map(people.flatMap(({ user, last_seen: at }) => (at === undefined ? [] : [[user, at]])));
      if (!more || people.every(({ online, last_seen: at }) => online || at !== undefined)) return;
      more = false;
      later();
    } catch {
      // Not connected, or no longer in: what was known stays; the next change asks again.
    }
  };
  const later = () => (timer ??= setTimeout(() => void ask(), Math.max(50, askedAt + askMs - Date.now())));
  const soon = () => {
    more = true;
    later();
  };
  const seen = signal<ReadonlyMap<string, number>>(new Map(), {
    watched() {
      ends = [room.presence.subscribe(soon), chat.on('state', soon)];
    },
    unwatched() {
      for (const end of ends) end();
      ends = [];
      clearTimeout(timer);
      timer = undefined;
    },
  });
  return seen;
}
