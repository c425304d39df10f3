// What the screens see: people, rooms, entries, the line. Signals, and the few acts there are.
//
// Not the SDK: src/chat.ts makes these out of it, so that no screen knows a frame or a store.
import type { ReadonlySignal } from '@preact/signals';

import type { LineState } from './line/state';

/** A person's public face. */
export interface Person {
  id: string;
  /** As they want to be shown. */
  name: string;
  /** The id of their picture. */
  avatar?: string | undefined;
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
  /** Encrypted: there are no words to show. */
  sealed?: boolean;
  /** The seq of the message that it answers. */
  replyTo?: number | undefined;
  /** Whom it calls on: ids of people, or `room`. */
  mentions: readonly string[];
  reactions: readonly Reaction[];
  /** A change of one's own waits on this device. */
  changing: boolean;
  /** A change of one's own that was refused. */
  refused?: Refused | undefined;
}

/** A reaction, and who put it there. */
export interface Reaction {
  emoji: string;
  users: readonly string[];
  mine: boolean;
}

/** What was not done to a message: the command, and the code of the refusal. */
export interface Refused {
  key: string;
  what: 'edit' | 'redact' | 'react' | 'pin' | 'send';
  why?: string | undefined;
}

/** A change of who is in. */
export interface Coming extends Placed {
  kind: 'member';
  user: string;
  state: 'joined' | 'left' | 'removed' | 'banned' | 'unbanned' | 'invited';
}

/** A change of the room's name, topic or picture. */
export interface Renaming extends Placed {
  kind: 'settings';
  name?: string | undefined;
  topic?: string | undefined;
  /** `null`: none any more. */
  avatar?: string | null | undefined;
}

/** A change of what somebody may do. */
export interface Standing extends Placed {
  kind: 'role';
  user: string;
  role: Role;
  muted: boolean;
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
export type Entry = Message | Coming | Founding | Renaming | Standing | Unreadable;

/** A room in the list. */
export interface RoomRow {
  id: string;
  kind: RoomKind;
  /** Its name; of a direct room, the other person's. */
  name: string;
  topic: string;
  /** The id of its picture; of a direct room, the other person's. */
  avatar?: string | undefined;
  /** The other one of a direct room. */
  peer?: string | undefined;
  /** How many are in. */
  members: number;
  /** Whether one is in oneself. */
  joined: boolean;
  /** What one may do. */
  role: Role;
  /** Whether one's voice was taken here. */
  muted: boolean;
  /** The seq up to which one has read. */
  read: number;
  /** Messages after that: exact up to 999, then 1000. */
  unread: number;
  /** How many of them call on one. */
  mentions: number;
  /** Seqs of the pinned messages. */
  pins: readonly number[];
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
  /** The messages among them, by seq. */
  bySeq: ReadonlySignal<ReadonlyMap<number, Message>>;
  /** Whether the server has older ones than the first. */
  hasOlder: ReadonlySignal<boolean>;
  /** Whether older ones are on their way. */
  loading: ReadonlySignal<boolean>;
  /** Who is in, as far as it is known. */
  members: ReadonlySignal<readonly Member[]>;
  /** Asks for an older page. */
  older(): Promise<void>;
  /** Takes the words in; they are on the device when the promise ends. */
  send(text: string, more?: { replyTo?: number | undefined; mentions?: string[] }): Promise<void>;
  /** Another text for a message of one's own; like the next three, shown at once. */
  edit(seq: number, text: string): void;
  /** A message away, for everybody. */
  remove(seq: number): void;
  /** A message away for oneself alone, on all of one's devices. */
  hide(seq: number): void;
  react(seq: number, emoji: string, on: boolean): void;
  pin(seq: number, on: boolean): void;
  /** Sends a refused message or change once more. */
  again(key: string): void;
  /** Forgets a refused message or change. */
  forget(key: string): void;
  /** Everything up to `seq` has been seen. */
  markRead(seq: number): void;
}

/** Who is online in a room. */
export interface Presence {
  /** How many, oneself too. */
  count: number;
  /** Who; none is named in large rooms. */
  online?: ReadonlySet<string> | undefined;
}

/** How far one's own message has come to others: to each of `of`, or to so many of them. */
export interface Reach {
  status: 'sent' | 'delivered' | 'read';
  delivered: number;
  read: number;
  of: number;
}

/** How far somebody is, and when they came to a message; a time is absent if they have not, or if it is no longer known. */
export interface Reader {
  user: string;
  delivered: number;
  read: number;
  delivered_at?: number;
  read_at?: number;
}

/** The people of a room, now. */
export interface RoomHere {
  presence: ReadonlySignal<Presence | undefined>;
  /** Who types, oneself left out: by id, and how many more. */
  typing: ReadonlySignal<{ users: readonly string[]; more: number }>;
  receipts: ReadonlySignal<{ of(seq: number): Reach }>;
  /** When people were there last, as far as it is told; those who are there now are left out. */
  seen: ReadonlySignal<ReadonlyMap<string, number>>;
  /** A key was pressed in a message to this room. */
  typed(): void;
  /** What was typed is gone, or left. */
  paused(): void;
  /** Who has received and read a message, and when. */
  readers(seq: number): Promise<readonly Reader[]>;
}

/** What one may hide from others; then one does not see it of them either. */
export interface Hidden {
  hide_online: boolean;
  hide_last_seen: boolean;
  hide_receipts: boolean;
}

/** Everybody who shares a room with the reader, now. */
export interface Here {
  /** What one hides oneself. */
  shown: ReadonlySignal<Hidden>;
  room(id: string): RoomHere;
  show(change: Partial<Hidden>): Promise<void>;
  /** Another name to be shown by (empty: one's own), or another picture (`null`: none). */
  introduce(change: { name?: string; picture?: Blob | null }): Promise<void>;
  end(): void;
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
  /** Who is there now; absent until its code has come. */
  here: ReadonlySignal<Here | undefined>;
  /** Whether the line is up: without it nobody knows who is there. */
  live: ReadonlySignal<boolean>;
  /** Tries the line at once. */
  retry(): void;
  create(kind: 'group' | 'public', name: string): Promise<string>;
  direct(user: string): Promise<string>;
  join(room: string): Promise<void>;
  leave(room: string): Promise<void>;
  add(room: string, user: string): Promise<void>;
  configure(room: string, change: { name?: string; topic?: string }): Promise<void>;
  setRole(room: string, user: string, role: Role): Promise<void>;
  mute(room: string, user: string, on: boolean): Promise<void>;
  removePerson(room: string, user: string): Promise<void>;
  ban(room: string, user: string, on: boolean): Promise<void>;
  find(name: string): Promise<Person | undefined>;
  directory(): Promise<Listed[]>;
  /** Ends the connection; with `erase`, this user's data leave the device. */
  close(erase: boolean): Promise<void>;
}

/** Whether one looks after a room: administrators and owners do, and nobody in a direct one. */
export function looksAfter(room: Pick<RoomRow, 'kind' | 'role'>): boolean {
  return room.kind !== 'direct' && (room.role === 'owner' || room.role === 'admin');
}
