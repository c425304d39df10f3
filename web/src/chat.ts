// The one place that knows the SDK: turns its chat into the signals that the screens read.
//
// It adds nothing to what the SDK says. Entries keep their identity while nothing about them
// changes, so that a list of a thousand redraws one line.
import type { Chat, Message, Room, RoomInfo, StateDetail } from '@chinwag/client';
import { batch, computed, signal, type Signal } from '@preact/signals';

import type { LineState } from './line/state';
import type { Conversation, Entry, Member, Person, Place, RoomRow } from './model';

/** What the place needs besides the chat. */
export interface PlaceOptions {
  me: Person;
  /** Whether the store outlives the page. */
  keeps: boolean;
  /** Nobody is signed in any more. */
  onSignedOut(): void;
  /** Removes the user's data from the device, once the chat is closed. */
  erase(): Promise<void>;
}

/** The place behind a chat. */
export function placeOf(chat: Chat, options: PlaceOptions): Place {
  return new ChatPlace(chat, options);
}

class ChatPlace implements Place {
  readonly me: Person;
  readonly line: Signal<LineState>;
  readonly rooms = computed<readonly RoomRow[]>(() => this.#infos.value.map((info) => this.#row(info)));
  /** Whether words that wait are on their way. */
  readonly live = computed(() => this.line.value.state === 'connected');
  readonly waiting = signal(0);
  readonly keeps: Signal<boolean>;
  readonly #chat: Chat;
  readonly #options: PlaceOptions;
  readonly #profiles = signal<ReadonlyMap<string, { id: string; name: string }>>(new Map());
  readonly #infos = signal<readonly RoomInfo[]>([]);
  readonly #open = new Map<string, Conversation>();
  readonly #ended = new AbortController();

  readonly known = computed(() =>
    [...this.#profiles.value.values()]
      .filter((person) => person.id !== this.me.id)
      .sort((a, b) => a.name.localeCompare(b.name)),
  );

  constructor(chat: Chat, options: PlaceOptions) {
    this.#chat = chat;
    this.#options = options;
    this.me = options.me;
    this.keeps = signal(options.keeps);
    this.line = signal(lineOf(chat.detail, chat.quality.rttMs));
    this.#listen();
    this.#infos.value = chat.rooms();
    this.#count();
  }

  #listen(): void {
    const chat = this.#chat;
    const until = { signal: this.#ended.signal };
    chat.on(
      'state',
      (_state, detail) => {
        this.line.value = lineOf(detail, chat.quality.rttMs);
        this.#count();
        if (detail.reason === 'signed_out') this.#options.onSignedOut();
      },
      until,
    );
    chat.on('quality', (quality) => (this.line.value = { ...this.line.peek(), rttMs: quality.rttMs }), until);
    chat.on(
      'rooms',
      (rooms) => {
        this.#infos.value = rooms;
        this.#count();
      },
      until,
    );
    chat.on('profiles', (profiles) => (this.#profiles.value = new Map(profiles)), until);
    chat.on(
      'problem',
      (problem) => {
        this.keeps.value = false;
        console.warn('On this device:', problem.code, problem.cause);
      },
      until,
    );
    const told = () => (this.line.value = { ...this.line.peek(), online: navigator.onLine });
    addEventListener('online', told, until);
    addEventListener('offline', told, until);
  }

  /** Counts what waits in all rooms. */
  #count(): void {
    let waiting = 0;
    for (const info of this.#chat.rooms()) {
      for (const message of this.#chat.room(info.id).messages.get()) {
        if (message.status === 'pending') waiting += 1;
      }
    }
    this.waiting.value = waiting;
  }

  #row(info: RoomInfo): RoomRow {
    // What waits is the newest there is, although no server has numbered it.
    const last = this.#chat.room(info.id).messages.get().findLast(({ status }) => status === 'pending') ?? info.last;
    return {
      id: info.id,
      kind: info.kind,
      name: info.kind === 'direct' ? this.person(info.peer ?? '').name : (info.name ?? ''),
      peer: info.peer,
      members: info.members,
      joined: info.state === 'joined',
      role: info.role,
      read: info.read,
      unread: info.unread,
      last: last && entryOf(last, this.live.value),
    };
  }

  person(id: string): Person {
    // Read for the subscription: names that arrive later redraw what asked for them.
    const told = this.#profiles.value.get(id);
    if (id === this.me.id) return this.me;
    const held = id === '' ? undefined : (told ?? this.#chat.profile(id));
    return held ?? { id, name: '' };
  }

  open(id: string): Conversation {
    let conversation = this.#open.get(id);
    if (!conversation) {
      conversation = conversationOf(this.#chat, id, this, () => this.#count());
      this.#open.set(id, conversation);
    }
    return conversation;
  }

  retry(): void {
    this.#chat.retry();
  }

  create(kind: 'group' | 'public', name: string): Promise<string> {
    return this.#chat.create(kind, name);
  }

  direct(user: string): Promise<string> {
    return this.#chat.direct(user);
  }

  join(room: string): Promise<void> {
    return this.#chat.room(room).join();
  }

  leave(room: string): Promise<void> {
    return this.#chat.room(room).leave();
  }

  add(room: string, user: string): Promise<void> {
    return this.#chat.room(room).add(user);
  }

  find(name: string): Promise<Person | undefined> {
    return this.#chat.find(name);
  }

  async directory(): Promise<{ id: string; name: string; members: number }[]> {
    const rows = await this.#chat.directory();
    return rows.map(({ room, name, members }) => ({ id: room, name, members }));
  }

  async close(erase: boolean): Promise<void> {
    this.#ended.abort();
    await this.#chat.disconnect();
    if (erase) await this.#options.erase();
  }
}

/** The line out of what the SDK says now. */
function lineOf(detail: StateDetail, rttMs: number | undefined): LineState {
  const nowMs = Date.now();
  const plannedMs = detail.retryInMs;
  return {
    state: detail.state,
    sinceMs: nowMs,
    nextMs: plannedMs === undefined ? undefined : nowMs + plannedMs,
    online: navigator.onLine,
    rttMs,
    outdated: detail.reason === 'refused',
  };
}

/** One entry per message object and way of sending: the SDK makes a new object for each change. */
const entries = new WeakMap<Message, { live: boolean; entry: Entry }>();

/** The entry that shows a message; `live` while the line is up. */
export function entryOf(message: Message, live: boolean): Entry {
  const before = entries.get(message);
  if (before && (before.live === live || message.status !== 'pending')) return before.entry;
  const entry = read(message, live);
  entries.set(message, { live, entry });
  return entry;
}

function read(message: Message, live: boolean): Entry {
  const placed = { key: message.key, seq: message.seq, from: message.from, ts: message.ts };
  switch (message.kind) {
    case 'message':
      return {
        ...placed,
        kind: 'message',
        text: message.text,
        sending: message.status === 'pending' ? (live ? 'sending' : 'queued') : message.status,
        why: message.error?.code,
        edited: message.edited,
        removed: message.redacted,
      };
    case 'member': {
      const event = message.event;
      if (event?.kind !== 'member') return { ...placed, kind: 'unreadable' };
      return { ...placed, kind: 'member', user: event.body.user, state: event.body.state };
    }
    case 'room':
      return { ...placed, kind: 'room' };
    default:
      return { ...placed, kind: 'unreadable' };
  }
}

/** Signals over one room of the SDK. They follow it while somebody watches `entries`. */
function conversationOf(chat: Chat, id: string, place: ChatPlace, changed: () => void): Conversation {
  const room = chat.room(id);
  const hasOlder = signal(!room.complete);
  const loading = signal(false);
  const roster = signal<readonly { user: string; role: Member['role'] }[]>([]);
  let stop: (() => void) | undefined;
  const messages = signal<readonly Message[]>(room.messages.get(), {
    watched() {
      stop = follow();
    },
    unwatched() {
      stop?.();
    },
  });

  function follow(): () => void {
    const ends = [
      room.messages.subscribe((list) => {
        batch(() => {
          messages.value = list;
          hasOlder.value = !room.complete;
        });
        changed();
      }),
      chat.on('state', (state) => {
        if (state === 'connected') void refreshRoster();
      }),
      room.on('message', (message) => {
        if (message.kind === 'member' || message.kind === 'room') void refreshRoster();
      }),
    ];
    void refreshRoster();
    return () => ends.forEach((end) => end());
  }

  async function refreshRoster(): Promise<void> {
    try {
      roster.value = await room.members();
    } catch {
      // Not connected, or no longer in: the list stays as it was; it is asked for again on the
      // next connection or change of members.
    }
  }

  return {
    id,
    hasOlder,
    loading,
    entries: computed(() => {
      const live = place.live.value;
      return messages.value.map((message) => entryOf(message, live));
    }),
    members: computed(() => roster.value.map(({ user, role }) => ({ ...place.person(user), role }))),
    older: () => olderPage(room, loading, hasOlder),
    async send(text) {
      // What becomes of it is told by its entry; a refusal here would be told twice.
      room.send(text).sent.catch(() => undefined);
    },
    again: (key) => void room.resend(key)?.sent.catch(() => undefined),
    forget: (key) => room.discard(key),
    markRead: (seq) => room.markRead(seq),
  };
}

async function olderPage(room: Room, loading: Signal<boolean>, hasOlder: Signal<boolean>): Promise<void> {
  if (loading.peek() || !hasOlder.peek()) return;
  loading.value = true;
  try {
    const page = await room.older();
    hasOlder.value = page.more;
  } catch {
    // Not connected: scrolling up again asks again.
  } finally {
    loading.value = false;
  }
}
