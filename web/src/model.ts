// What the screens see: people, rooms, entries, the line. Signals, and the few acts there are.
//
// Not the SDK: src/chat.ts makes these out of it, so that no screen knows a frame or a store.
import type { ReadonlySignal } from '@preact/signals';

import type { LineState } from './line/state';

/** A person's public face. */
export interface Person {
  id: string;
  name: string;
}

/** What a room is for. */
export type RoomKind = 'direct' | 'group' | 'public';

/** What a member may do. */
export type Role = 'reader' | 'member' | 'admin' | 'owner';

/** How far one's own message has come. */
export type Sending = 'queued' | 'sending' | 'sent' | 'failed';

/** What every entry of a timeline has. */
interface Placed {
  /** Names it for as long as it is shown, also while it has no seq yet. */
  key: string;
  /** Its place in the room's log; none until the server has stored it. */
  seq?: number | undefined;
  /** Whose act it was. */
  from: string;
  /** When, in ms UTC: a label. */
  ts: number;
}

/** Words that somebody wrote. */
export interface Message extends Placed {
  kind: 'message';
  text: string;
  sending: Sending;
  /** Why it was refused, as a code, when `sending` is `failed`. */
  why?: string | undefined;
  edited: boolean;
  removed: boolean;
}

/** A change of who is in. */
export interface Coming extends Placed {
  kind: 'member';
  user: string;
  state: 'joined' | 'left' | 'removed';
}

/** The room's first entry. */
export interface Founding extends Placed {
  kind: 'room';
}

/** Something that this version cannot show: damaged, or of a later version. */
export interface Unreadable extends Placed {
  kind: 'unreadable';
}

/** One entry of a timeline. */
export type Entry = Message | Coming | Founding | Unreadable;

/** A room in the list. */
export interface RoomRow {
  id: string;
  kind: RoomKind;
  /** Its name; of a direct room, the other person's. */
  name: string;
  /** The other one of a direct room. */
  peer?: string | undefined;
  /** How many are in. */
  members: number;
  /** Whether one is in oneself. */
  joined: boolean;
  /** What one may do. */
  role: Role;
  /** The seq up to which one has read. */
  read: number;
  /** Messages after that: exact up to 999, then 1000. */
  unread: number;
  /** What stands last in it, as far as the device knows. */
  last?: Entry | undefined;
}

/** A member of a room. */
export interface Member extends Person {
  role: Role;
}

/** A public room that one may join. */
export interface Listed {
  id: string;
  name: string;
  members: number;
}

/** A room that is open. */
export interface Conversation {
  id: string;
  /** Oldest first. */
  entries: ReadonlySignal<readonly Entry[]>;
  /** Whether the server has older ones than the first. */
  hasOlder: ReadonlySignal<boolean>;
  /** Whether older ones are on their way. */
  loading: ReadonlySignal<boolean>;
  /** Who is in, as far as it is known. */
  members: ReadonlySignal<readonly Member[]>;
  /** Asks for an older page. */
  older(): Promise<void>;
  /** Takes the words in; they are on the device when the promise ends. */
  send(text: string): Promise<void>;
  /** Sends a refused message once more. */
  again(key: string): void;
  /** Forgets a refused message. */
  forget(key: string): void;
  /** Everything up to `seq` has been seen. */
  markRead(seq: number): void;
}

/** A server, seen by somebody who is signed in. */
export interface Place {
  me: Person;
  line: ReadonlySignal<LineState>;
  /** The last word first; only rooms that one is in. */
  rooms: ReadonlySignal<readonly RoomRow[]>;
  /** Messages that wait on this device, over all rooms. */
  waiting: ReadonlySignal<number>;
  /** Whether this device keeps anything. */
  keeps: ReadonlySignal<boolean>;
  /** The name behind an id; an empty one until it is known. Read inside of a render or effect. */
  person(id: string): Person;
  /** Everybody whose name is known here, without oneself. */
  known: ReadonlySignal<readonly Person[]>;
  open(room: string): Conversation;
  /** Tries the line at once. */
  retry(): void;
  create(kind: 'group' | 'public', name: string): Promise<string>;
  direct(user: string): Promise<string>;
  join(room: string): Promise<void>;
  leave(room: string): Promise<void>;
  add(room: string, user: string): Promise<void>;
  find(name: string): Promise<Person | undefined>;
  directory(): Promise<Listed[]>;
  /** Ends the connection; with `erase`, this user's data leave the device. */
  close(erase: boolean): Promise<void>;
}
