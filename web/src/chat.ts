// The one place that knows the SDK: turns its chat into the signals that the screens read.
//
// It adds nothing to what the SDK says. Entries keep their identity while nothing about them
// changes, so that a list of a thousand redraws one line.
import type { Chat, Message, Profile, Room, RoomInfo, Sent, StateDetail } from '@chinwag/client';
import { batch, computed, signal, type Signal } from '@preact/signals';

import { followHidden, hide, isHidden } from '@chinwag/client/hidden';

import type { LineState } from './line/state';
import { entryOf } from './entry';
import type { Conversation, Entry, Here, Member, Message as Words, Person, Place, Role, RoomRow } from './model';
import { t } from './words';

/** What is waited for anyway comes with its own chunk. */
const acts = () => import('@chinwag/client/conversation');

/** What the place needs besides the chat. */
export interface PlaceOptions {
  me: Person;
  /** Whether the store outlives the page. */
  keeps: boolean;
  /** An access token that is good now, for pictures; without it there are none. */
  token?(): Promise<string>;
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
  readonly here = signal<Here | undefined>(undefined);
  readonly keeps: Signal<boolean>;
  readonly #chat: Chat;
  readonly #options: PlaceOptions;
  readonly #profiles = signal<ReadonlyMap<string, Profile>>(new Map());
  readonly #infos = signal<readonly RoomInfo[]>([]);
  readonly #open = new Map<string, Conversation>();
  readonly #ended = new AbortController();

  readonly known = computed(() =>
    [...this.#profiles.value.values()]
      .filter((person) => person.id !== this.me.id && person.name !== '')
      .map(personOf)
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
    void this.#meet();
  }

  /** Who is there is not needed for the first picture. */
  async #meet(): Promise<void> {
    try {
      const { hereOf } = await import('./here');
      if (!this.#ended.signal.aborted) this.here.value = hereOf(this.#chat, async () => (await this.#options.token?.()) ?? '');
    } catch {
      // The server has a newer build without this file: a page loaded anew has the new one. Words come and go all the same.
    }
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
    until.signal.addEventListener('abort', followHidden(chat));
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
        waiting += message.changes.filter(({ status }) => status === 'pending').length;
      }
    }
    this.waiting.value = waiting;
  }

  #row(info: RoomInfo): RoomRow {
    // What waits is the newest there is, although no server has numbered it.
    const last = this.#chat.room(info.id).messages.get().findLast((message) => message.status !== 'failed' && !isHidden(info, message)) ?? info.last;
    const peer = info.kind === 'direct' ? this.person(info.peer ?? '') : undefined;
    return {
      id: info.id,
      kind: info.kind,
      name: peer?.name ?? info.name ?? '',
      topic: info.topic ?? '',
      avatar: peer?.avatar ?? info.avatar ?? undefined,
      peer: info.peer,
      members: info.members,
      joined: info.state === 'joined',
      role: info.role,
      muted: info.muted ?? false,
      read: info.read,
      unread: info.unread,
      mentions: info.mentions,
      pins: info.pins ?? [],
      last: last && entryOf(last, this.live.value, this.me.id),
    };
  }

  person(id: string): Person {
    // Read for the subscription: names that arrive later redraw what asked for them.
    const told = this.#profiles.value.get(id);
    const held = id === '' ? undefined : (told ?? this.#chat.profile(id));
    if (!held) return id === this.me.id ? this.me : { id, name: '' };
    // Only of a deleted account the name is known and empty.
    return held.name === '' ? { id, name: t.deletedAccount } : personOf(held);
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

  async create(kind: 'group' | 'public', name: string): Promise<string> {
    return (await acts()).create(this.#chat, kind, name);
  }

  async direct(user: string): Promise<string> {
    return (await acts()).direct(this.#chat, user);
  }

  async join(room: string): Promise<void> {
    await (await acts()).join(this.#chat.room(room));
  }

  async leave(room: string): Promise<void> {
    await (await acts()).leave(this.#chat.room(room));
  }

  async add(room: string, user: string): Promise<void> {
    await (await acts()).add(this.#chat.room(room), user);
  }

  async configure(room: string, change: { name?: string; topic?: string }): Promise<void> {
    await (await acts()).configure(this.#chat.room(room), change);
  }

  async setRole(room: string, user: string, role: Role): Promise<void> {
    await (await acts()).setRole(this.#chat.room(room), user, role);
  }

  async mute(room: string, user: string, on: boolean): Promise<void> {
    await (await acts()).mute(this.#chat.room(room), user, on);
  }

  async removePerson(room: string, user: string): Promise<void> {
    await (await acts()).remove(this.#chat.room(room), user);
  }

  async ban(room: string, user: string, on: boolean): Promise<void> {
    const { ban, unban } = await acts();
    await (on ? ban : unban)(this.#chat.room(room), user);
  }

  async find(name: string): Promise<Person | undefined> {
    const found = await (await acts()).find(this.#chat, name);
    return found && personOf(found);
  }

  async directory(): Promise<{ id: string; name: string; members: number }[]> {
    const rows = await (await acts()).directory(this.#chat);
    return rows.map(({ room, name, members }) => ({ id: room, name, members }));
  }

  async close(erase: boolean): Promise<void> {
    this.#ended.abort();
    this.here.peek()?.end();
    await this.#chat.disconnect();
    if (erase) await this.#options.erase();
  }
}

const faces = new WeakMap<Profile, Person>();

/** Somebody as they want to be shown; the same object for the same profile. */
function personOf(profile: Profile): Person {
  const { id, name, display_name: shown, avatar } = profile;
  const person = faces.get(profile) ?? { id, name: shown ?? name, avatar };
  faces.set(profile, person);
  return person;
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

/** Signals over one room of the SDK. They follow it while somebody watches `entries`. */
function conversationOf(chat: Chat, id: string, place: ChatPlace, changed: () => void): Conversation {
  const room = chat.room(id);
  const hasOlder = signal(!room.complete);
  const loading = signal(false);
  const info = signal(room.info.get());
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
          info.value = room.info.get();
          hasOlder.value = !room.complete;
        });
        changed();
      }),
      room.info.subscribe((now) => (info.value = now)),
      chat.on('state', (state) => {
        if (state === 'connected') void refreshRoster();
      }),
      room.on('message', (message) => {
        if (['member', 'room', 'role'].includes(message.kind)) void refreshRoster();
      }),
    ];
    void refreshRoster();
    return () => ends.forEach((end) => end());
  }

  async function refreshRoster(): Promise<void> {
    try {
      roster.value = await (await acts()).members(room);
    } catch {
      // Not connected, or no longer in: the list stays as it was; it is asked for again on the
      // next connection or change of members.
    }
  }

  const entries = computed<readonly Entry[]>(() => {
    const live = place.live.value;
    const banned = new Set<string>();
    const shown = messages.value.filter((message) => !isHidden(info.value, message));
    return shown.map((message) => entryOf(message, live, place.me.id, banned));
  });
  // What becomes of a command is told by its entry; a refusal here would be told twice.
  const post = ({ sent }: Sent) => void sent.catch(() => undefined);
  return {
    id,
    hasOlder,
    loading,
    entries,
    bySeq: computed(() => {
      const found = entries.value.filter((entry): entry is Words => entry.kind === 'message' && entry.seq !== undefined);
      return new Map(found.map((entry) => [entry.seq!, entry]));
    }),
    members: computed(() => roster.value.map(({ user, role }) => ({ ...place.person(user), role }))),
    older: () => olderPage(room, loading, hasOlder),
    async send(text, more) {
      post(room.send(text, more));
    },
    // Shown at once: these wait for no chunk.
    edit: (target, text) => post(room.post({ type: 'edit', target, text: text.toWellFormed() })),
    remove: (target) => post(room.post({ type: 'redact', target })),
    // Not kept for later: without a connection the message stays, and the menu is there again.
    hide: (target) => void hide(room, target).catch(() => undefined),
    react: (target, emoji, on) => post(room.post({ type: 'react', target, emoji, on })),
    pin: (target, on) => post(room.post({ type: 'pin', target, on })),
    again(key) {
      const sent = room.resend(key);
      if (sent) post(sent);
    },
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
