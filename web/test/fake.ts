// A stand-in for the SDK's chat: rooms and lines given by hand, a line that goes where it is told.
// For tests and for looking at the screens; no part of the page.
import type { Chat, Message, Profile, Quality, Room, RoomInfo, State, StateDetail } from '@chinwag/client';

type Listener = (...values: never[]) => void;

/** What a fake begins with. */
export interface FakeWorld {
  me: Profile;
  people: Profile[];
  rooms: FakeRoomSeed[];
  directory?: { room: string; name: string; members: number }[];
}

export interface FakeRoomSeed {
  id: string;
  kind: 'direct' | 'group' | 'public';
  name?: string;
  peer?: string;
  read?: number;
  unread?: number;
  members: string[];
  lines: Message[];
  /** Pages that `older` brings, the nearest first. */
  older?: Message[][];
}

export class FakeRoom {
  readonly id: string;
  readonly seed: FakeRoomSeed;
  readonly #chat: FakeChat;
  readonly #listeners = new Set<(lines: readonly Message[]) => void>();
  lines: readonly Message[];
  readonly marks: number[] = [];
  /** Nothing is hidden here. */
  readonly info = { get: () => undefined, subscribe: () => () => undefined };

  constructor(chat: FakeChat, seed: FakeRoomSeed) {
    this.#chat = chat;
    this.id = seed.id;
    this.seed = seed;
    this.lines = seed.lines;
  }

  get complete(): boolean {
    return (this.seed.older?.length ?? 0) === 0;
  }

  readonly messages = {
    get: () => this.lines,
    subscribe: (listener: (lines: readonly Message[]) => void) => {
      this.#listeners.add(listener);
      listener(this.lines);
      return () => this.#listeners.delete(listener);
    },
  };

  on(): () => void {
    return () => undefined;
  }

  set(lines: readonly Message[]): void {
    this.lines = lines;
    for (const listener of this.#listeners) listener(lines);
    this.#chat.tell('rooms', this.#chat.rooms());
  }

  send(text: string) {
    const key = `own-${this.id}-${this.lines.length}`;
    this.set([...this.lines, line({ room: this.id, key, text, from: this.#chat.user.id, own: true, status: 'pending' })]);
    return { key, status: 'pending' as const, sent: new Promise<{ seq: number; ts: number }>(() => undefined) };
  }

  resend(): undefined {
    return undefined;
  }

  discard(key: string): void {
    this.set(this.lines.filter((message) => message.key !== key));
  }

  async older() {
    const page = this.seed.older?.shift() ?? [];
    this.set([...page, ...this.lines]);
    return { count: page.length, more: !this.complete };
  }

  markRead(seq: number): void {
    this.marks.push(seq);
  }

  get chat(): Chat {
    return this.#chat.chat;
  }
}

export class FakeChat {
  readonly user: Profile;
  readonly #people: ReadonlyMap<string, Profile>;
  readonly #rooms: Map<string, FakeRoom>;
  readonly #world: FakeWorld;
  readonly #listeners = new Map<string, Set<Listener>>();
  detail: StateDetail = { state: 'connected', reason: 'ready', attempt: 0 };
  quality: Quality = { level: 'good', rttMs: 18 };
  retries = 0;
  readonly clock = {
    now: () => Date.now(),
    after(ms: number, run: () => void) {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
  };

  constructor(world: FakeWorld) {
    this.#world = world;
    this.user = world.me;
    this.#people = new Map([world.me, ...world.people].map((person) => [person.id, person]));
    this.#rooms = new Map(world.rooms.map((seed) => [seed.id, new FakeRoom(this, seed)]));
  }

  /** The same, as the adapter wants it. */
  get chat(): Chat {
    return this as unknown as Chat;
  }

  get state(): State {
    return this.detail.state;
  }

  on(type: string, listener: Listener): () => void {
    const set = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, set.add(listener));
    if (type === 'profiles') (listener as (value: unknown) => void)(this.#people);
    return () => set.delete(listener);
  }

  tell(type: string, ...values: unknown[]): void {
    for (const listener of this.#listeners.get(type) ?? []) (listener as (...values: unknown[]) => void)(...values);
  }

  /** Moves the line. */
  go(detail: StateDetail): void {
    this.detail = detail;
    this.tell('state', detail.state, detail);
  }

  rooms(): readonly RoomInfo[] {
    return [...this.#rooms.values()].map(({ seed, lines }) => ({
      id: seed.id,
      kind: seed.kind,
      ...(seed.name ? { name: seed.name } : {}),
      ...(seed.peer ? { peer: seed.peer } : {}),
      state: 'joined',
      role: 'owner',
      members: seed.members.length,
      head: lines.at(-1)?.seq ?? 0,
      read: seed.read ?? lines.at(-1)?.seq ?? 0,
      unread: seed.unread ?? 0,
      mentions: 0,
      ...(lines.at(-1) ? { last: lines.at(-1)! } : {}),
    }));
  }

  room(id: string): Room {
    return this.fake(id) as unknown as Room;
  }

  fake(id: string): FakeRoom {
    const room = this.#rooms.get(id);
    if (!room) throw new Error(`no room ${id}`);
    return room;
  }

  profile(id: string): Profile | undefined {
    return this.#people.get(id);
  }

  /** Answers what `@chinwag/client/conversation` asks. */
  async ask({ type, name, room }: { type: string; name?: string; room?: string }) {
    const members = (room ? this.fake(room).seed.members : []).map((user, index) => [user, index === 0 ? 'owner' : 'member']);
    const users = [...this.#people.values()].filter((person) => person.name === name);
    return { type, users, members, rooms: this.#world.directory ?? [], more: false };
  }

  async command(): Promise<string> {
    return this.#world.rooms[0]?.id ?? '';
  }

  async disconnect(): Promise<void> {}

  retry(): void {
    this.retries += 1;
  }
}

/** A line, most of it by default. */
export function line(part: Partial<Message> & Pick<Message, 'key' | 'from'>): Message {
  return {
    room: 'r_1',
    kind: 'message',
    text: '',
    own: false,
    ts: Date.now(),
    status: 'sent',
    edited: false,
    redacted: false,
    reactions: [],
    mentions: [],
    changes: [],
    ...part,
  };
}
