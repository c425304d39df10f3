/**
 * The parts of a chat and what they need of each other. Each part names in its own file the few things that it
 * asks of the whole; the whole has them here, beside what a page uses. Lives until `disconnect`.
 */

import { Book } from './book.js';
import { Calls, type Answer, type Command, type Loose, type Reply, type Request } from './calls.js';
import type { ConnectOptions } from './connect.js';
import { Emitter, live } from './emitter.js';
import { browserPage, browserSocket, systemClock, type Clock, type OpenSocket, type Page, type Random } from './env.js';
import { ChatError } from './errors.js';
import { quality } from './heartbeat.js';
import { cryptoRandom, newKey, randomId } from './ids.js';
import { takeIn } from './intake.js';
import { Journal } from './journal.js';
import { Link } from './link.js';
import type { RoomLog, RoomRecord } from './log.js';
import { marks } from './marks.js';
import { Outbox, type Entry } from './outbox.js';
import { Profiles } from './profiles.js';
import { Puller } from './puller.js';
import { roomFacade, type RoomFacade } from './room.js';
import { memoryStore } from './store.js';
import type { Chat, ChatEvents, PageInfo, Problem, Quality, RoomInfo, State, StateDetail, Unsubscribe } from './types.js';
import { lineMessage } from './view.js';
import type { Cursor, Event, Profile, ServerFrame, Settings } from './wire.js';

/** Rooms whose missed events come first, and whose heads are compared. */
export const OPEN_MAX = 32;
/** How often a connected tab looks for what a closed one has left: one read of what waits, mostly nothing. */
export const ADOPT_MS = 15_000;

export class Core implements Chat {
  declare readonly clock: Clock;
  declare readonly random: Random;
  declare readonly page: Page;
  declare readonly socket: OpenSocket;
  declare readonly token: ConnectOptions['token'];
  readonly journal: Journal;
  readonly events = new Emitter<ChatEvents>();
  /** Rooms that somebody looks at. */
  readonly open = new Set<string>();
  readonly calls = new Calls(this);
  readonly people = new Profiles(this);
  readonly book = new Book(this);
  readonly outbox = new Outbox(this);
  readonly link = new Link(this);
  /** The store's life that the server speaks of. */
  epoch: string | undefined;
  settings: Settings | undefined;
  readonly #puller = new Puller(this);
  readonly #mark = marks(this);
  readonly #rows = live<readonly RoomInfo[]>(() => this.#list());
  /** The last five round trips in ms. */
  #trips: number[] = [];
  readonly #facades = new Map<string, RoomFacade>();
  #problem: Problem | undefined;
  #adopting: Unsubscribe | undefined;

  constructor(readonly url: string, { store = memoryStore(), ...options }: ConnectOptions) {
    const outside = { clock: systemClock, random: cryptoRandom, page: browserPage, socket: browserSocket };
    Object.assign(this, outside, options);
    this.journal = new Journal(store, this);
  }

  get state(): State {
    return this.detail.state;
  }

  get detail(): StateDetail {
    return this.link.detail;
  }

  get user(): Profile | undefined {
    return this.journal.meta.user;
  }

  get quality(): Quality {
    return quality(this.#trips);
  }

  on(type: keyof ChatEvents, listener: (...args: never[]) => void, options?: { signal?: AbortSignal }): Unsubscribe {
    const problem = this.#problem;
    // The store may fail before anybody can listen.
    if (type === 'problem' && problem) queueMicrotask(() => (listener as (problem: Problem) => void)(problem));
    return this.events.on(type, listener, options);
  }

  /** Reads the store and begins to connect. */
  async begin(): Promise<void> {
    const { journal } = this;
    this.#rows.subscribe((rooms) => this.events.emit('rooms', rooms));
    const { profiles } = await this.#load();
    if (!journal.meta.device) journal.note({ device: randomId('d_', this.random) });
    this.people.add(profiles.values());
    this.link.start();
  }

  rooms(): readonly RoomInfo[] {
    return this.#rows.get();
  }

  room(id: string): RoomFacade {
    const facade = this.#facades.get(id) ?? roomFacade(id, this);
    this.#facades.set(id, facade);
    return facade;
  }

  profile(id: string): Profile | undefined {
    return this.people.get(id);
  }

  /** The key is made once: however often it is asked, it is done once. */
  async command(command: Command): Promise<string> {
    const { room } = await this.calls.call<'ack'>({ ...command, key: this.newKey() } as Request);
    if (!this.log(room)) this.want(room);
    return room;
  }

  tell(frame: Request, answered?: (reply: Reply) => void): void {
    this.calls.request(frame, answered);
  }

  retry(): void {
    this.link.start();
  }

  async disconnect(): Promise<void> {
    this.link.stop();
    this.calls.end(new ChatError('disconnected', undefined, true));
    await this.journal.flush();
  }

  // What a room asks.

  /** A room's window is looked at, or no longer. */
  opened(room: string, on: boolean): void {
    this.open.delete(room);
    if (!on) return;
    this.open.add(room);
    void this.book.load(room).then(() => {
      if (this.log(room)?.behind !== false) this.want(room);
    });
  }

  async history(room: string): Promise<PageInfo> {
    await this.book.load(room);
    if (this.log(room)?.record.cursor === undefined) {
      if (!this.log(room)) await this.ask({ type: 'room', room });
      await this.ask({ type: 'history', room });
    }
    const log = this.log(room);
    return { count: log?.lines.length ?? 0, more: (log?.low ?? 1) > 1 };
  }

  async older(room: string): Promise<PageInfo> {
    const { more } = await this.history(room);
    const log = this.log(room);
    if (!log || !more) return { count: 0, more };
    const had = log.lines.length;
    await this.book.older(room, log);
    if (log.lines.length === had) await this.ask({ type: 'history', room, before: log.low, at_least: log.record.cursor! });
    return { count: log.lines.length - had, more: log.low > 1 };
  }

  markRead(room: string, seq = Infinity): void {
    const held = this.log(room)?.record.cursor ?? 0;
    if (this.book.read(room, Math.min(seq, held))) this.#mark(room);
  }

  // What the parts ask.

  me = (): string | undefined => this.user?.id;

  newKey(): string {
    return newKey(this.clock.now(), this.random);
  }

  log(room: string): RoomLog | undefined {
    return this.book.logs.get(room);
  }

  want(room: string): void {
    this.#puller.want(room);
  }

  known(): { rooms: Map<string, RoomRecord>; profiles: Map<string, Profile> } {
    return { rooms: this.book.known(), profiles: new Map(this.people.all) };
  }

  learnt(profiles: Profile[]): void {
    this.journal.profiles(profiles);
    this.events.emit('profiles', this.people.all);
  }

  changed(room: string): void {
    this.#facades.get(room)?.touch();
    this.#rows.touch();
  }

  moved(entry: Entry): void {
    const { room } = entry;
    // Its line may be here already: then the line stands for it.
    if (entry.status === 'sent') this.outbox.passed(room, this.log(room)?.record.cursor ?? 0);
    this.changed(room);
    this.#facades.get(room)?.events.emit('status', entry);
  }

  applied(log: RoomLog, event: Event): void {
    const [author, version] = event.from;
    this.people.get(author, version);
    if (author === this.me()) this.outbox.arrived(event);
    const line = log.lines.findLast(({ event: { seq } }) => seq === event.seq);
    if (line) this.#facades.get(event.room)?.events.emit('message', lineMessage(line, this.me()));
  }

  advanced({ record: { row, cursor = 0 } }: RoomLog): void {
    this.outbox.passed(row.room, cursor);
    this.#mark(row.room);
  }

  trouble(problem: Problem): void {
    this.#problem = problem;
    this.events.emit('problem', problem);
  }

  // What the connection asks and tells.

  async hello(): Promise<Loose<Cursor & { device?: string }>> {
    const { device } = this.journal.meta;
    return { device, ...(await this.#cursor()) };
  }

  down(): void {
    this.#adopting?.();
    this.calls.down();
    this.outbox.down();
  }

  receive(frame: ServerFrame): void {
    if (this.calls.reply(frame)) return;
    takeIn(this, frame);
    this.events.emit('frame', frame);
  }

  async ask<F extends Request>(frame: F): Promise<Answer<F>> {
    const reply = await this.calls.call<Answer<F>['type']>(frame);
    takeIn(this, reply);
    return reply as Answer<F>;
  }

  ping(): void {
    const asked = this.clock.now();
    const rooms = [...this.open].slice(-OPEN_MAX).filter((room) => this.log(room));
    this.calls.request({ type: 'ping', rooms }, (reply) => {
      if (reply.type !== 'pong') return;
      this.#trips = [this.clock.now() - asked, ...this.#trips].slice(0, 5);
      this.events.emit('quality', this.quality);
      for (const [room, head] of reply.heads) this.book.items(room, [], head);
      if (reply.position) this.vouched(reply.position);
    });
  }

  /** All up to `position` is here, unless an event has named a room of which nothing is known yet. */
  vouched(position: string): void {
    if (!this.book.unknown.size) this.journal.note({ position });
  }

  caughtUp(): void {
    for (const [room, log] of this.book.logs) {
      this.#mark(room);
      if (log.record.cursor !== undefined && log.behind) this.want(room);
    }
    this.calls.ready = true;
    this.outbox.up();
    this.#puller.run();
    this.#watch();
  }

  /** A tab may go, or its lock be freed, long after this one has connected: what it leaves must not wait for a new line. */
  #watch(): void {
    this.#adopting?.();
    this.#adopting = this.clock.after(ADOPT_MS, () => {
      this.#watch();
      void this.#adopt().then(() => this.outbox.up());
    });
  }

  async sync(): Promise<void> {
    this.calls.request({ type: 'sync', ...(await this.#cursor()) });
  }

  async renew(): Promise<void> {
    try {
      this.calls.request({ type: 'auth', token: await this.link.renew() });
    } catch {
      // The server closes when the token ends; then the token function is asked again, and its answer counts.
    }
  }

  /** What to say that one has: read from the store, after everything known has got there. */
  async #cursor(): Promise<Loose<Cursor>> {
    await this.journal.flush();
    const { rooms, meta } = await this.#load();
    const { epoch, position, last } = meta;
    const open = [...this.open].slice(-OPEN_MAX).flatMap((room): Array<[string, number]> => {
      const cursor = rooms.get(room)?.cursor;
      return cursor === undefined ? [] : [[room, cursor]];
    });
    return { epoch, position, last, open };
  }

  /** Reads the store, with what waits there: from before a reload, or from a tab that is gone. */
  async #load() {
    const { journal } = this;
    const snapshot = await journal.attempt((store) => store.load());
    const overtaken = (snapshot.meta.life ?? 0) !== (journal.meta.life ?? 0);
    journal.meta = snapshot.meta;
    this.book.restore(snapshot, overtaken);
    await this.#adopt();
    return snapshot;
  }

  async #adopt(): Promise<void> {
    this.outbox.load(await this.journal.attempt((store) => store.waiting()));
  }

  #list(): RoomInfo[] {
    return [...this.book.logs.keys()]
      .map((room) => this.room(room).info.get()!)
      .filter(({ state }) => state === 'joined')
      .sort((a, b) => (b.last?.ts ?? 0) - (a.last?.ts ?? 0) || (a.id < b.id ? -1 : 1));
  }
}
