/** Puts the parts together: what the server says goes to the part that knows, what a page asks likewise. */

import { Book } from './book.js';
import { Calls, type Request } from './calls.js';
import type { ConnectOptions } from './connect.js';
import { Emitter, Live } from './emitter.js';
import { browserPage, browserSocket, systemClock } from './env.js';
import { ChatError } from './errors.js';
import { RoundTrips } from './heartbeat.js';
import { cryptoRandom, newKey, randomId } from './ids.js';
import { Journal } from './journal.js';
import { Link } from './link.js';
import { Marks } from './marks.js';
import { Outbox, wellFormed } from './outbox.js';
import { Profiles } from './profiles.js';
import { Puller } from './puller.js';
import { roomFacade, type RoomFacade } from './room.js';
import { memoryStore } from './store.js';
import type { Chat, ChatEvents, PageInfo, Problem, Quality, Room, RoomInfo, State, StateDetail, Unsubscribe } from './types.js';
import { infoOf, lineMessage } from './view.js';
import type { DirectoryRow, Profile, Role, ServerFrame } from './wire.js';

/** Rooms whose missed events come first, and whose heads are compared. */
export const OPEN_MAX = 32;

type Without<T, K extends string> = T extends { key: string } ? Omit<T, K> : never;
/** A command before it has its key. */
export type Command = Without<Exclude<Request, { type: 'send' | 'after' }>, 'key'>;

export class Core implements Chat {
  readonly book: Book;
  readonly outbox: Outbox;
  readonly #events = new Emitter<ChatEvents>((cause) => this.broken(cause));
  readonly #journal: Journal;
  readonly #calls: Calls;
  readonly #link: Link;
  readonly #puller: Puller;
  readonly #marks: Marks;
  readonly #people: Profiles;
  readonly #trips = new RoundTrips();
  readonly #rows: Live<readonly RoomInfo[]>;
  readonly #facades = new Map<string, RoomFacade>();
  readonly #open = new Set<string>();
  /** As listed last; those of changed rooms are dropped. */
  readonly #infos = new Map<string, RoomInfo>();
  #problem: Problem | undefined;
  #epoch: string | undefined;
  readonly #clock;
  readonly #random;

  constructor(url: string, options: ConnectOptions) {
    const clock = (this.#clock = options.clock ?? systemClock);
    const random = (this.#random = options.random ?? cryptoRandom);
    this.#rows = new Live<readonly RoomInfo[]>(() => this.#list(), (cause) => this.broken(cause));
    const calls = (this.#calls = new Calls(clock));
    const log = (room: string) => this.book.logs.get(room);
    this.#journal = new Journal(
      options.store ?? memoryStore(),
      (problem) => this.#trouble(problem),
      () => ({
        rooms: this.book.known(),
        profiles: [...this.#people.all.values()],
      }),
    );
    this.#people = new Profiles(calls, clock, (fresh) => {
      for (const profile of fresh) this.#journal.profile(profile);
      this.#events.emit('profiles', this.#people.all);
    });
    this.#puller = new Puller({
      calls,
      clock,
      log,
      open: (room) => this.#open.has(room),
      ask: (frame) => this.#calls.call(frame, 'events').then((reply) => this.#take(reply)),
      load: (room) => this.book.load(room),
      gone: (room) => this.book.unknown.delete(room),
    });
    this.#marks = new Marks(calls, clock, log, (one) => this.book.keep(one));
    this.outbox = new Outbox({
      calls,
      journal: this.#journal,
      clock,
      newKey: () => newKey(clock.now(), random),
      changed: (room, { key, status, error }) => {
        // Its line may be here already: then the line stands for it.
        if (status === 'sent') this.outbox.passed(room, this.book.logs.get(room)?.record.cursor ?? 0);
        this.#touch(room);
        this.#facades.get(room)?.events.emit('status', { key, status, error });
      },
    });
    this.book = new Book({
      journal: this.#journal,
      me: () => this.me(),
      changed: (room) => this.#touch(room),
      applied: (one, event) => {
        this.#people.get(event.from[0], event.from[1]);
        if (event.from[0] === this.me()) this.outbox.arrived(event);
        const line = one.lines.findLast(({ event: { seq } }) => seq === event.seq);
        if (line) this.#facades.get(event.room)?.events.emit('message', lineMessage(line, this.me()));
      },
      advanced: ({ record: { row, cursor = 0 } }) => {
        this.outbox.passed(row.room, cursor);
        this.#marks.touch(row.room);
      },
      open: (room) => this.#open.has(room),
      want: (room) => this.#puller.want(room),
      missed: (count) => this.#events.emit('missed', count),
    });
    this.#link = new Link({
      url,
      token: options.token,
      open: options.socket ?? browserSocket,
      clock,
      random,
      page: options.page ?? browserPage,
      hello: async () => ({ device: this.#journal.meta.device!, ...(await this.#cursor()) }),
      ping: () => this.#ping(),
      frame: (frame) => this.#receive(frame),
      up: (transmit) => this.#calls.up(transmit),
      down: () => {
        calls.down();
        this.outbox.down();
      },
      changed: (detail) => this.#events.emit('state', detail.state, detail),
    });
  }

  get state(): State {
    return this.#link.detail.state;
  }

  get detail(): StateDetail {
    return this.#link.detail;
  }

  get user(): Profile | undefined {
    return this.#journal.meta.user;
  }

  get quality(): Quality {
    return this.#trips.quality();
  }

  me = (): string | undefined => this.user?.id;

  broken = (cause: unknown): void => {
    console.error(cause);
    this.#trouble({ code: 'listener', cause });
  };

  on(type: keyof ChatEvents, listener: (...args: never[]) => void, options?: { signal?: AbortSignal }): Unsubscribe {
    const problem = this.#problem;
    // The store may fail before anybody can listen.
    if (type === 'problem' && problem) queueMicrotask(() => (listener as (problem: Problem) => void)(problem));
    return this.#events.on(type, listener, options);
  }

  /** Reads the store and begins to connect. */
  async begin(): Promise<void> {
    const journal = this.#journal;
    this.#rows.subscribe((rooms) => this.#events.emit('rooms', rooms));
    const snapshot = await journal.load();
    journal.meta = snapshot.meta;
    if (!journal.meta.device) journal.note({ device: randomId('d_', this.#random) });
    this.#people.add(snapshot.profiles);
    this.book.restore(snapshot);
    await this.#adopt();
    this.#link.start();
  }

  /** Takes over what waits in the store: from before a reload, or from a tab that is gone. */
  async #adopt(): Promise<void> {
    const journal = this.#journal;
    this.outbox.load(await journal.store.waiting().catch((cause) => (journal.degrade(cause), [])));
  }

  rooms(): readonly RoomInfo[] {
    return this.#rows.get();
  }

  room(id: string): Room {
    const facade = this.#facades.get(id) ?? roomFacade(id, this);
    this.#facades.set(id, facade);
    return facade;
  }

  async create(kind: 'group' | 'public', name: string): Promise<string> {
    return this.#make({ type: 'create', kind, name: wellFormed(name) });
  }

  async direct(user: string): Promise<string> {
    return this.#make({ type: 'direct', user });
  }

  async join(room: string): Promise<void> {
    await this.#make({ type: 'join', room });
  }

  async leave(room: string): Promise<void> {
    await this.#make({ type: 'leave', room });
  }

  async add(room: string, user: string): Promise<void> {
    await this.#make({ type: 'add', room, user });
  }

  async remove(room: string, user: string): Promise<void> {
    await this.#make({ type: 'remove', room, user });
  }

  async find(name: string): Promise<Profile | undefined> {
    const { users } = await this.#calls.call({ type: 'profiles', name: wellFormed(name) }, 'profiles');
    this.#people.add(users);
    return users[0];
  }

  async directory(): Promise<DirectoryRow[]> {
    const all: DirectoryRow[] = [];
    for (let more = true; more; ) {
      const page = await this.#calls.call({ type: 'directory', after: all.at(-1)?.room }, 'directory');
      all.push(...page.rooms);
      more = page.more && page.rooms.length > 0;
    }
    return all;
  }

  async members(room: string): Promise<Array<{ user: string; role: Role }>> {
    const all: Array<{ user: string; role: Role }> = [];
    for (let more = true; more; ) {
      const page = await this.#calls.call({ type: 'members', room, after: all.at(-1)?.user }, 'members');
      all.push(...page.members.map(([user, role]) => ({ user, role })));
      more = page.more && page.members.length > 0;
    }
    return all;
  }

  profile(id: string): Profile | undefined {
    return this.#people.get(id);
  }

  retry(): void {
    this.#link.start();
  }

  async disconnect(): Promise<void> {
    this.#link.stop();
    this.#calls.end(new ChatError('disconnected', 'disconnect() was called', true));
    await this.#journal.flush();
  }

  /** A room's window is looked at, or no longer. */
  opened(room: string, on: boolean): void {
    this.#open.delete(room);
    if (!on) return;
    this.#open.add(room);
    void this.book.load(room).then(() => {
      if (this.book.logs.get(room)?.behind !== false) this.#puller.want(room);
    });
  }

  async history(room: string): Promise<PageInfo> {
    await this.book.load(room);
    if (this.book.logs.get(room)?.record.cursor === undefined) {
      if (!this.book.logs.has(room)) await this.#ask({ type: 'room', room });
      await this.#ask({ type: 'history', room });
    }
    const log = this.book.logs.get(room);
    return { count: log?.lines.length ?? 0, more: (log?.low ?? 1) > 1 };
  }

  async older(room: string): Promise<PageInfo> {
    const first = await this.history(room);
    const log = this.book.logs.get(room);
    if (!log || !first.more) return { count: 0, more: false };
    const had = log.lines.length;
    if (!(await this.book.stored(room))) {
      await this.#ask({ type: 'history', room, before: log.low, at_least: log.record.cursor! });
    }
    return { count: log.lines.length - had, more: log.low > 1 };
  }

  markRead(room: string, seq?: number): void {
    const held = this.book.logs.get(room)?.record.cursor ?? 0;
    if (this.book.read(room, Math.min(seq ?? held, held))) this.#marks.touch(room);
  }

  /** The key is made once: however often it is asked, it is done once. */
  async #make(command: Command): Promise<string> {
    const frame = { ...command, key: newKey(this.#clock.now(), this.#random) } as Request;
    const { room } = await this.#calls.call(frame, 'ack');
    if (!this.book.logs.has(room)) this.#puller.want(room);
    return room;
  }

  async #ask(frame: Request): Promise<void> {
    this.#take(await this.#calls.call(frame, 'page'));
  }

  /** What to say that one has: read from the store, after everything known has got there. */
  async #cursor() {
    const { book } = this;
    const journal = this.#journal;
    await journal.flush();
    const snapshot = await journal.load();
    const overtaken = (snapshot.meta.life ?? 0) !== (journal.meta.life ?? 0);
    journal.meta = snapshot.meta;
    book.restore(snapshot, overtaken);
    await this.#adopt();
    const { epoch, position, last } = snapshot.meta;
    const open = [...this.#open].slice(-OPEN_MAX).flatMap((room): Array<[string, number]> => {
      const cursor = snapshot.rooms.get(room)?.cursor;
      return cursor === undefined ? [] : [[room, cursor]];
    });
    return { epoch, position, last, open };
  }

  #receive(frame: ServerFrame): void {
    if (!this.#calls.reply(frame)) this.#take(frame);
  }

  /** Takes in what is told, asked for or not. */
  #take(frame: ServerFrame): void {
    const { book } = this;
    const journal = this.#journal;
    switch (frame.type) {
      case 'welcome':
        this.#people.add([frame.user]);
        this.#epoch = frame.epoch;
        this.outbox.limits = frame.limits;
        return journal.note({ user: frame.user });
      case 'summary':
        // The epoch is stored with what belongs to it, never before.
        book.summary(frame, journal.meta.epoch !== undefined && journal.meta.epoch !== this.#epoch);
        return journal.note({ epoch: this.#epoch });
      case 'event':
        return book.items(frame.room, [frame]);
      case 'skip':
        return book.items(frame.room, [frame]);
      case 'events':
        return book.items(frame.room, frame.items, frame.head);
      case 'reset':
        return book.reset(frame);
      case 'page':
        return book.page(frame);
      case 'room':
        return book.row(frame.row);
      case 'marker':
        return book.marker(frame);
      case 'caught_up':
        this.#vouched(frame.position);
        return this.#caughtUp();
      case 'behind':
        return void this.#sync();
      case 'token_expiring':
        return void this.#renew();
      case 'reconnect':
        return this.#link.restart(frame.after_ms, frame.spread_ms);
      default:
        // Replies are looked at where they were asked for; frames of later versions are ignored.
        return;
    }
  }

  /** All up to `position` is here, unless an event has named a room of which nothing is known yet. */
  #vouched(position: string): void {
    if (this.book.unknown.size === 0) this.#journal.note({ position });
  }

  #caughtUp(): void {
    for (const [room, log] of this.book.logs) {
      this.#marks.touch(room);
      if (log.record.cursor !== undefined && log.behind) this.#puller.want(room);
    }
    this.#calls.ready = true;
    this.outbox.up();
    this.#puller.run();
  }

  async #sync(): Promise<void> {
    const cursor = await this.#cursor();
    this.#calls.request({ type: 'sync', ...cursor }, () => undefined);
  }

  async #renew(): Promise<void> {
    try {
      const token = await this.#link.renew();
      this.#calls.request({ type: 'auth', token }, () => undefined);
    } catch {
      // The server closes when the token ends; then the token function is asked again, and its answer counts.
    }
  }

  #ping(): void {
    const asked = this.#clock.now();
    const rooms = [...this.#open].slice(-OPEN_MAX).filter((room) => this.book.logs.has(room));
    this.#calls.request({ type: 'ping', rooms }, (reply) => {
      if (reply.type !== 'pong') return;
      this.#trips.add(this.#clock.now() - asked);
      this.#events.emit('quality', this.quality);
      for (const [room, head] of reply.heads) this.book.items(room, [], head);
      if (reply.position) this.#vouched(reply.position);
    });
  }

  #list(): RoomInfo[] {
    const infos = [...this.book.logs].map(([room, log]) => {
      const info = this.#infos.get(room) ?? infoOf(log, this.me());
      this.#infos.set(room, info);
      return info;
    });
    return infos
      .filter(({ state }) => state === 'joined')
      .sort((a, b) => (b.last?.ts ?? 0) - (a.last?.ts ?? 0) || (a.id < b.id ? -1 : 1));
  }

  #touch(room: string): void {
    this.#infos.delete(room);
    this.#rows.touch();
    this.#facades.get(room)?.touch();
  }

  #trouble(problem: Problem): void {
    if (problem.code !== 'listener') this.#problem = problem;
    this.#events.emit('problem', problem);
  }
}
