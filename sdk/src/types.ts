/** The public face of the SDK: what a page codes against. No behaviour here. */

import type { ChatError } from './errors.js';
import type { Answer, Command, Reply, Request } from './calls.js';
import type { Clock } from './env.js';
import type { Writing } from './store.js';
import type { Folded, Hidden, MemberState, Profile, Role, RoomKind, ServerFrame, Settings } from './wire.js';

/** Undoes what returned it; calling it twice is harmless. */
export type Unsubscribe = () => void;

/** A value that changes. `subscribe` calls back at once with the present value, then on each change. */
export interface Readable<T> {
  get(): T;
  subscribe(listener: (value: T) => void): Unsubscribe;
}

/** Where the connection stands. `connected` means caught up: everything missed has arrived. */
export type State = 'disconnected' | 'connecting' | 'connected' | 'reconnecting' | 'failed';

/** Why the connection stands there, for programs. */
export type Reason =
  | 'start' /* connect() or retry() */
  | 'ready' /* caught up */
  | 'closed' /* the socket closed, or never opened */
  | 'silent' /* no sign of life from the server */
  | 'restart' /* the server said that it restarts */
  | 'later' /* the server wants to be left alone for a while */
  | 'token' /* the token function failed for now */
  | 'signed_out' /* the token was refused, or the token function says that there is none */
  | 'refused' /* the server will never speak with this client: it must be updated */
  | 'left'; /* disconnect() */

/** What goes with a state. */
export interface StateDetail {
  readonly state: State;
  readonly reason: Reason;
  /** Tries since the last good connection; 0 while connected. */
  readonly attempt: number;
  /** Milliseconds until the next try, counted from this event; 0 while one runs; absent: none is planned. */
  readonly retryInMs?: number | undefined;
  /** The number in the close frame, if one came. */
  readonly closeCode?: number | undefined;
}

/** One line of a timeline. */
export interface Message {
  /** Stays the same from the first optimistic line on: use it as the key of a list. */
  readonly key: string;
  readonly room: string;
  /** Its place in the room; absent until the server has numbered it. */
  readonly seq?: number | undefined;
  /** `message`, `room`, `member`, `damaged`, or a kind that this version does not know. */
  readonly kind: string;
  /** The text, for `message`; otherwise empty, also for what is encrypted: then `event.body` has `enc`. */
  readonly text: string;
  readonly from: string;
  /** Written by the user of this session. */
  readonly own: boolean;
  /** Milliseconds since 1970; the server's once it is numbered. A label, never an order. */
  readonly ts: number;
  /** `pending`: on this device only. `sent`: stored by the server. `failed`: refused, see `error`. */
  readonly status: 'pending' | 'sent' | 'failed';
  readonly error?: ChatError | undefined;
  readonly edited: boolean;
  readonly redacted: boolean;
  /** Emoji and user. */
  readonly reactions: ReadonlyArray<readonly [string, string]>;
  /** The seq of the message that it answers. */
  readonly replyTo?: number | undefined;
  /** Whom it calls on: ids of people, or `room`. */
  readonly mentions: readonly string[];
  /** As the page said that brought it: see `isHidden` of `@chinwag/client/hidden`. */
  readonly hidden?: boolean | undefined;
  /** What one has done to it oneself and the server has not told yet, or has refused. */
  readonly changes: readonly Change[];
  /** The event as the server sent it, with its `kind` and `body`; absent until it is numbered. */
  readonly event?: Folded | undefined;
}

/** A command of one's own about a message: shown in the message at once, and taken back when it is refused. */
export interface Change {
  /** For `resend` and `discard`. */
  readonly key: string;
  readonly frame: Writing;
  readonly status: Message['status'];
  readonly error?: ChatError | undefined;
}

/** A room in the list. */
export interface RoomInfo {
  readonly id: string;
  readonly kind: RoomKind;
  /** Direct rooms have none: show the name of `peer`. */
  readonly name?: string | undefined;
  /** What it is about. */
  readonly topic?: string | undefined;
  /** The id of its picture: see `loadAvatar` of `@chinwag/client/people`. */
  readonly avatar?: string | null | undefined;
  readonly peer?: string | undefined;
  readonly state: MemberState;
  readonly role: Role;
  /** One's voice was taken here. */
  readonly muted?: boolean | undefined;
  readonly members: number;
  /** The last seq known. */
  readonly head: number;
  /** One's own read marker. */
  readonly read: number;
  /** Exact to 999; 1000 means "999+". */
  readonly unread: number;
  /** How many of them call on one, by name or as part of the room. */
  readonly mentions: number;
  /** Seqs of the pinned messages, in the order of pinning. */
  readonly pins?: readonly number[] | undefined;
  /** What one has hidden from oneself here: see `isHidden` of `@chinwag/client/hidden`. */
  readonly hidden?: Hidden | undefined;
  /** The newest line held on this device. */
  readonly last?: Message | undefined;
}

/** What a message may have beside its text. */
export interface SendOptions {
  /** The seq of the message that it answers. */
  replyTo?: number | undefined;
  /** Whom it calls on: ids of people, or `room`. */
  mentions?: string[] | undefined;
}

/** A message on its way. */
export interface Sent {
  readonly key: string;
  readonly status: 'pending' | 'sent' | 'failed';
  /**
   * Resolves once the server has stored it; rejects only when it is refused for good. `seq` is `Infinity` for a
   * redaction of what was gone already: another event stands for it.
   */
  readonly sent: Promise<{ readonly seq: number; readonly ts: number }>;
}

/** A page of older lines was taken into `messages`. */
export interface PageInfo {
  /** How many lines came. */
  readonly count: number;
  /** Whether `older()` can bring more. */
  readonly more: boolean;
}

export interface RoomEvents {
  /** A line from the server, live or missed while away: once each, in order. */
  message: Message;
  /** An own message changed its status. */
  status: { readonly key: string; readonly status: Message['status']; readonly error?: ChatError };
}

/** One room. The same object for the same id for the whole life of the chat. */
export interface Room {
  readonly id: string;
  readonly chat: Chat;
  /** What is known of it; absent until the server has told. */
  readonly info: Readable<RoomInfo | undefined>;
  /**
   * The window: lines by seq, then own ones that are not numbered yet. While somebody subscribes, the
   * room counts as open: its missed events come first, and its newest page is fetched if none is held.
   */
  readonly messages: Readable<readonly Message[]>;
  /** Whether the window reaches back to the first line that one may see. */
  readonly complete: boolean;
  on<K extends keyof RoomEvents>(
    type: K, listener: (value: RoomEvents[K]) => void, options?: { signal?: AbortSignal },
  ): Unsubscribe;
  /** Shows at once, is stored on the device, and is sent when possible, also after a reload. */
  send(text: string, options?: SendOptions): Sent;
  /** A command about a message, on the same way as a message. `@chinwag/client/conversation` has a function for each. */
  post(frame: Writing): Sent;
  /** Sends a failed message or command again, as a new one. */
  resend(key: string): Sent | undefined;
  /** Removes a failed message or command from this device. */
  discard(key: string): void;
  /** Makes sure that the newest page is held. */
  history(): Promise<PageInfo>;
  /** Takes in the page before the window. */
  older(): Promise<PageInfo>;
  /** Everything up to `seq`, or all that is held, has been read. Stored here first, told when possible. */
  markRead(seq?: number): void;
}

/** Something went wrong on the device; live use goes on. */
export interface Problem {
  /** `device_full`: nothing more is stored. `store_broken`: there is no store; memory is used instead. */
  readonly code: 'device_full' | 'store_broken';
  readonly cause: unknown;
}

export interface ChatEvents {
  state: StateDetail;
  rooms: readonly RoomInfo[];
  /** After connecting: how many unread messages are in the rooms that changed while away. */
  unread: number;
  profiles: ReadonlyMap<string, Profile>;
  quality: Quality;
  problem: Problem;
  /** What the server says by itself, behind what the chat has made of it: for entries that know more kinds of frames. */
  frame: ServerFrame;
}

/** How good the line is: the median of the last five round trips. */
export interface Quality {
  readonly rttMs?: number | undefined;
  readonly level: 'unknown' | 'good' | 'fair' | 'poor';
}

export interface Chat {
  readonly state: State;
  readonly detail: StateDetail;
  /** Who the token says one is; absent before the very first connection. */
  readonly user: Profile | undefined;
  readonly quality: Quality;
  /** `state` listeners get `(state, detail)`, all others one value. */
  on(type: 'state', listener: (state: State, detail: StateDetail) => void, options?: { signal?: AbortSignal }): Unsubscribe;
  on<K extends Exclude<keyof ChatEvents, 'state'>>(
    type: K, listener: (value: ChatEvents[K]) => void, options?: { signal?: AbortSignal },
  ): Unsubscribe;
  /** The rooms that one is in, the one with the newest line first. */
  rooms(): readonly RoomInfo[];
  room(id: string): Room;
  /**
   * A command that is waited for; the id of its room. Rejects with a `ChatError` after 30 s at most, as `ask` does.
   * `@chinwag/client/conversation` has a function for each command and question.
   */
  command(command: Command): Promise<string>;
  /** A question, and its answer. */
  ask<F extends Request>(question: F): Promise<Answer<F>>;
  /** What is known of somebody; if nothing is, it is fetched and told by `profiles`. */
  profile(id: string): Profile | undefined;
  /** Says something once, if there is a connection: for what may get lost, or is repeated by who says it. */
  tell(frame: Request, answered?: (reply: Reply) => void): void;
  /** The clock that was given to `connect`. */
  readonly clock: Clock;
  /** What one shows of oneself, as the last `summary` has it; `@chinwag/client/people` follows what changes later. */
  readonly settings: Settings | undefined;
  /** Tries at once, with the schedule from its start. */
  retry(): void;
  /** Ends the connection and all timers; what waits stays stored. */
  disconnect(): Promise<void>;
}
