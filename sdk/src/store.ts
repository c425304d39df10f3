/** What the SDK keeps on the device, and the store that forgets everything when the page goes. */

import type { Line } from './fold.js';
import type { RoomRecord } from './log.js';
import type { Request } from './calls.js';
import type { Last, Profile } from './wire.js';

/** Beside rooms and lines. */
export interface Meta {
  epoch?: string | undefined;
  position?: string | undefined;
  last?: Last | undefined;
  user?: Profile | undefined;
  device?: string | undefined;
  /** Whom the user has blocked. */
  blocks?: readonly string[] | undefined;
  /** How often everything was dropped: what belongs to an earlier life is void. */
  life?: number | undefined;
}

export interface RoomChange {
  /** `null`: forget the room and its lines. */
  record: RoomRecord | null;
  /** Its stored lines are void. */
  clear: boolean;
  lines: Map<number, Line>;
}

/** Written in one transaction or not at all. */
export interface Changes {
  /** A store in a later life drops all of this; one in an earlier life forgets all but the profiles first. */
  life: number;
  meta: Meta;
  rooms: Map<string, RoomChange>;
  profiles: Map<string, Profile>;
}

type Bare<T> = T extends unknown ? Omit<T, 'key' | 'room'> : never;
/** A message, or a command about one, before it has its key and its room. */
export type Writing = Bare<Extract<Request, { type: 'send' | 'edit' | 'redact' | 'react' | 'pin' }>>;

/** A command that the server has not acknowledged. */
export interface Waiting {
  key: string;
  room: string;
  frame: Writing;
  /** Rises from send to send on a device. */
  order: number;
  ts: number;
  /** Refused for good. */
  failed?: { code: string; message: string } | undefined;
}

export interface Snapshot {
  meta: Meta;
  rooms: Map<string, RoomRecord>;
  profiles: Map<string, Profile>;
}

/**
 * A store may be shared by several tabs: writing what is there already changes nothing, and what is older
 * than what is there is dropped.
 */
export interface Store {
  load(): Promise<Snapshot>;
  /** The newest `limit` lines before `before`, oldest first. */
  lines(room: string, before: number, limit: number): Promise<Line[]>;
  write(changes: Changes): Promise<void>;
  /** What waits and belongs to this tab or to one that is gone. */
  waiting(): Promise<Waiting[]>;
  /** Durable before it resolves. */
  put(entry: Waiting): Promise<void>;
  remove(key: string): Promise<void>;
  close(): void;
}

/** Keeps everything in memory. */
export function memoryStore(seed?: Snapshot): Store {
  let state: Snapshot = seed ?? { meta: {}, rooms: new Map(), profiles: new Map() };
  const lines = new Map<string, Map<number, Line>>();
  const waiting = new Map<string, Waiting>();
  return {
    load: async () => structuredClone(state),
    async lines(room, before, limit) {
      const older = [...(lines.get(room)?.values() ?? [])].filter(({ event }) => event.seq < before);
      return older.sort((a, b) => a.event.seq - b.event.seq).slice(-limit);
    },
    async write({ life, meta, rooms, profiles }) {
      if (life > (state.meta.life ?? 0)) {
        state = { ...state, meta: {}, rooms: new Map() };
        lines.clear();
      }
      Object.assign(state.meta, meta);
      for (const [id, profile] of profiles) state.profiles.set(id, profile);
      for (const [room, change] of rooms) {
        if (change.clear || !change.record) lines.delete(room);
        if (change.record) state.rooms.set(room, change.record);
        else state.rooms.delete(room);
        lines.set(room, new Map([...(lines.get(room) ?? []), ...change.lines]));
      }
    },
    waiting: async () => [...waiting.values()],
    put: async (entry) => void waiting.set(entry.key, entry),
    remove: async (key) => void waiting.delete(key),
    close: () => undefined,
  };
}
