/**
 * A server that speaks the protocol, in this process: rooms, keys for ever, positions, skips, resets. Its knobs make
 * the network and the server fail as real ones do. It is a twin for the SDK's tests, not a reference for order.
 */

import type { SocketLike } from '../src/env.js';
import { bodyOf, folded, headOf, rowOf, type About, type Room } from './log.js';
import type {
  Body, ClientFrame, ErrorCode, Event, Item, Profile, Role, RoomKind, ServerFrame, Skip,
} from '../src/wire.js';

const id = (prefix: string, name: string) => prefix + name.padEnd(26, 'a');
export const userId = (name: string) => id('u_', name);
/** People and rooms in one page of a list. */
const PAGE = 2;
const nameOf = (user: string) => user.slice(2).replace(/a+$/, '');
export const roomId = (name: string) => id('r_', name);

type Of<T extends ClientFrame['type']> = Extract<ClientFrame, { type: T }>;
export type Command = Exclude<ClientFrame, { type: 'hello' }>;
type Ordered = Of<'send' | 'join' | 'leave' | 'add' | 'remove'> | About;
/** Commands to one room, which keep their order. */
const ordered = (frame: ClientFrame): frame is Ordered => 'key' in frame && 'room' in frame && frame.type !== 'after';

export class FakeServer {
  epoch = id('e_', 'one');
  /** No socket opens while it is not up. */
  up = true;
  /** Asked before each frame goes out: false loses it. */
  pass: (frame: ServerFrame, user: string) => boolean = () => true;
  /** Asked before each command is done: a frame here is the answer instead. */
  refuse: (frame: ClientFrame) => { code: ErrorCode; retryable: boolean; retry_after_ms?: number } | undefined = () => undefined;
  /** Close code for each hello, or nothing. */
  hello: (frame: Of<'hello'>) => number | undefined = () => undefined;
  /** Answers commands that this server does not know. */
  more: (frame: Command, from: Connection) => void = () => undefined;
  readonly got: ClientFrame[] = [];
  readonly rooms = new Map<string, Room>();
  /** Of people who have chosen how to be shown. */
  readonly profiles = new Map<string, Profile>();
  readonly connections = new Set<Connection>();
  opened = 0;
  streamMax = 1000;
  /** Silent servers take frames and answer nothing. */
  silent = false;
  private position = 1;

  readonly socket = (): SocketLike => new Connection(this);

  room(name: string, members: string[], kind: RoomKind = 'group'): string {
    const room: Room = { id: roomId(name), kind, name, pins: [], events: [], members: new Map(), changed: 0 };
    this.rooms.set(room.id, room);
    for (const one of members) {
      room.members.set(userId(one), { role: 'member', since: 1, state: 'joined', delivered: 0, read: 0 });
    }
    const list = members.map((one): [string, Role] => [userId(one), 'member']);
    const body: Body = { kind: 'room', body: { kind, name, history: 'beginning', members: list } };
    this.append(room.id, members[0]!, body, id('k_', 'room' + name));
    return room.id;
  }

  /** Stores an event and tells everybody in the room. */
  append(room: string, from: string, body: Body, key = id('k_', `x${this.position}`), more: Pick<Event, 'target' | 'reply_to' | 'mentions'> = {}): Event {
    const log = this.rooms.get(room)!;
    const seq = this.head(log) + 1;
    const before = log.events.filter((one) => 'kind' in one && one.kind === 'message').length;
    const event: Event = {
      room, seq, msg_no: before + Number(body.kind === 'message'), v: 1, from: [userId(from), 1], key: key.replace(/[01890]/g, 'b'),
      ts: 1_700_000_000_000 + this.position, ...more, ...body,
    };
    log.events.push(event);
    log.changed = ++this.position;
    this.change(log, event);
    if (body.kind === 'member') {
      const { user, state, role } = body.body;
      const old = log.members.get(user);
      log.members.set(user, { role, state, since: state === 'joined' ? seq : (old?.since ?? seq), delivered: 0, read: 0 });
      if (state !== 'joined') this.tell(user, { type: 'event', ...event });
    }
    for (const [user, member] of log.members) if (member.state === 'joined') this.tell(user, { type: 'event', ...event });
    return event;
  }

  say(room: string, from: string, text: string, key?: string, more?: Pick<Event, 'reply_to' | 'mentions'>): Event {
    return this.append(room, from, { kind: 'message', body: { text } }, key, more);
  }

  /** What an event makes of the room. */
  private change(log: Room, { kind, body, target }: Event): void {
    if (kind === 'settings') Object.assign(log, body);
    if (kind === 'role') Object.assign(log.members.get((body as { user: string }).user)!, body);
    if (kind === 'pin' || kind === 'redact') {
      log.pins = log.pins.filter((pin) => pin !== target);
      if (kind === 'pin' && (body as { on: boolean }).on) log.pins.push(target!);
    }
    if (kind !== 'redact') return;
    const old = log.events.find((one): one is Event => 'kind' in one && one.seq === target);
    if (old?.kind !== 'message') return;
    // What connections have been given already stays as it was.
    const { reply_to: _answered, mentions: _called, ...rest } = old;
    log.events[log.events.indexOf(old)] = { ...rest, body: { text: '' } };
  }

  /** A stretch that nobody may see. */
  skip(room: string, count: number): void {
    const log = this.rooms.get(room)!;
    const from = this.head(log) + 1;
    const skip: Skip = { room, from, to: from + count - 1, why: 'not_member' };
    log.events.push(skip);
    log.changed = ++this.position;
    for (const user of log.members.keys()) this.tell(user, { type: 'skip', ...skip });
  }

  texts(room: string): string[] {
    return this.rooms.get(room)!.events.flatMap((one) => ('kind' in one && one.kind === 'message' ? [one.body.text!] : []));
  }

  /** All sockets break without a word. */
  cut(code = 1006): void {
    for (const connection of [...this.connections]) connection.end(code);
  }

  tell(user: string, frame: ServerFrame): void {
    for (const connection of this.connections) if (connection.user === user && connection.live) connection.out(frame);
  }

  readonly head = headOf;
  readonly row = rowOf;
  readonly folded = folded;

  items(room: Room, after: number, limit: number): Item[] {
    return room.events
      .filter((one) => ('to' in one ? one.to : one.seq) > after)
      .slice(0, limit)
      .map((one) => ('to' in one ? { type: 'skip', ...one } : { type: 'event', ...one }) as Item);
  }

  caughtUp(): ServerFrame {
    return { type: 'caught_up', position: `p${this.position}` };
  }

  now(): string {
    return `p${this.position}`;
  }
}

export class Connection implements SocketLike {
  onopen: SocketLike['onopen'] = null;
  onmessage: SocketLike['onmessage'] = null;
  onclose: SocketLike['onclose'] = null;
  user: string | undefined;
  live = false;
  /** Keys refused for now, by room: what follows them is refused, too. */
  private readonly stuck = new Map<string, string>();

  constructor(private readonly server: FakeServer) {
    server.opened += 1;
    queueMicrotask(() => {
      if (!server.up) return this.onclose?.({ code: 1006, reason: '' });
      server.connections.add(this);
      this.onopen?.({} as never);
    });
  }

  send(text: string): void {
    const frame = JSON.parse(text) as ClientFrame;
    queueMicrotask(() => this.server.connections.has(this) && this.take(frame));
  }

  close(): void {
    this.server.connections.delete(this);
  }

  end(code: number): void {
    if (this.server.connections.delete(this)) this.onclose?.({ code, reason: '' });
  }

  out(frame: ServerFrame): void {
    if (this.server.silent || !this.server.pass(frame, this.user ?? '')) return;
    const data = JSON.stringify(frame);
    queueMicrotask(() => this.server.connections.has(this) && this.onmessage?.({ data }));
  }

  /** Everything that changed since the cursor, as section 3 says. */
  show({ epoch, position, last, open = [] }: Pick<Of<'hello'>, 'epoch' | 'position' | 'last' | 'open'>): void {
    const { server } = this;
    const mine = [...server.rooms.values()].filter((room) => room.members.has(this.user!));
    const known = last && server.rooms.get(last.room)?.events.find((one) => 'kind' in one && one.seq === last.seq);
    const lost = last && (!known || !('key' in known) || known.key !== last.key);
    const reset = epoch && epoch !== server.epoch ? 'epoch' : lost ? 'history' : undefined;
    const since = position && !reset ? Number(position.slice(1)) : 0;
    const changed = mine.filter((room) => room.changed > since);
    const rows = changed.map((room) => server.row(room, this.user!));
    const half = Math.ceil(rows.length / 2);
    const unread = rows.reduce((sum, { me }) => sum + me.unread, 0);
    const fixed = { new: unread, all: since === 0 } as const;
    if (half < rows.length) this.out({ type: 'summary', rooms: rows.slice(0, half), ...fixed, ...(reset && { reset }), more: true } as ServerFrame);
    this.out({ type: 'summary', rooms: rows.slice(half < rows.length ? half : 0), ...fixed, more: false, ...(half >= rows.length && reset && { reset }) } as ServerFrame);
    if (!reset) for (const [room, seq] of open) this.after({ type: 'after', req: 0, room, seq }, true);
    this.live = true;
    this.out(server.caughtUp());
  }

  private take(frame: ClientFrame): void {
    const { server } = this;
    server.got.push(frame);
    if (server.silent) return;
    if (frame.type === 'hello') {
      const code = server.hello(frame);
      if (code) return this.end(code);
      this.user = userId(frame.token);
      const limits = { text_bytes: 16_384, frame_bytes: 65_536, in_flight: 64, open_rooms: 32, rate_per_second: 10, rate_burst: 20 };
      const user = { id: this.user, name: frame.token, version: 1 };
      this.out({ type: 'welcome', v: 1, epoch: server.epoch, user, features: [], limits, now: 0 });
      return this.show(frame);
    }
    const { req } = frame;
    const refused = server.refuse(frame) ?? this.inOrder(frame);
    if (refused) {
      if (ordered(frame) && refused.retryable && !this.stuck.has(frame.room)) this.stuck.set(frame.room, frame.key);
      return this.out({ type: 'error', req, message: refused.code, ...refused });
    }
    this.answer(frame, req);
  }

  /** Until the refused key comes again; one that is stored need not, and refuses only once more. */
  private inOrder(frame: ClientFrame): { code: ErrorCode; retryable: boolean } | undefined {
    if (!ordered(frame)) return undefined;
    const key = this.stuck.get(frame.room);
    const stored = this.server.rooms.get(frame.room)!.events.some((one) => 'key' in one && one.key === key);
    if (key === frame.key || stored) this.stuck.delete(frame.room);
    return key && key !== frame.key ? { code: 'retry_in_order', retryable: true } : undefined;
  }

  private answer(frame: Command, req: number): void {
    const { server } = this;
    switch (frame.type) {
      case 'send':
        return this.store(frame);
      case 'edit':
      case 'redact':
      case 'react':
      case 'pin':
      case 'configure':
      case 'ban':
      case 'role':
      case 'mute':
        return this.about(frame);
      case 'create': {
        return this.made(server.room(frame.name, [this.name], frame.kind), req);
      }
      case 'direct':
        return this.made(server.room('direct', [this.name, nameOf(frame.user)], 'direct'), req);
      case 'join':
        return this.member(frame.room, this.user!, 'joined', req);
      case 'leave':
        return this.member(frame.room, this.user!, 'left', req);
      case 'add':
        return this.member(frame.room, frame.user, 'joined', req);
      case 'remove':
        return this.member(frame.room, frame.user, 'removed', req);
      case 'members': {
        const all = [...server.rooms.get(frame.room)!.members].filter(([user]) => user > (frame.after ?? ''));
        const members = all.slice(0, PAGE).map(([user, { role }]): [string, Role] => [user, role]);
        return this.out({ type: 'members', req, room: frame.room, members, more: all.length > PAGE });
      }
      case 'directory': {
        const all = [...server.rooms.values()].filter(({ id, kind }) => kind === 'public' && id > (frame.after ?? ''));
        const rooms = all.slice(0, PAGE).map(({ id, name, members }) => ({ room: id, name: name!, members: members.size }));
        return this.out({ type: 'directory', req, rooms, more: all.length > PAGE });
      }
      case 'after':
        return this.after(frame);
      case 'history': {
        const room = server.rooms.get(frame.room)!;
        const messages = server.folded(room, frame.before ?? Infinity, frame.limit ?? 50);
        const first = messages[0]?.seq ?? 1;
        const before = first > 1 ? { before: first } : {};
        return this.out({ type: 'page', req, room: room.id, as_of: server.head(room), messages, skips: [], ...before });
      }
      case 'room': {
        const room = server.rooms.get(frame.room);
        if (!room?.members.has(this.user!)) {
          return this.out({ type: 'error', req, code: 'not_found', message: 'no such room', retryable: false });
        }
        return this.out({ type: 'room', req, row: server.row(room, this.user!) });
      }
      case 'mark': {
        const me = server.rooms.get(frame.room)!.members.get(this.user!)!;
        me.read = Math.max(me.read, frame.read ?? 0);
        me.delivered = Math.max(me.delivered, me.read, frame.delivered ?? 0);
        this.out({ type: 'ok', req });
        const row = server.row(server.rooms.get(frame.room)!, this.user!);
        for (const other of server.connections) {
          if (other !== this && other.user === this.user) {
            other.out({ type: 'marker', room: frame.room, delivered: me.delivered, read: me.read, unread: row.me.unread, mentions: row.me.mentions ?? 0 });
          }
        }
        return;
      }
      case 'ping': {
        const heads = (frame.rooms ?? []).map((room): [string, number] => [room, server.head(server.rooms.get(room)!)]);
        return this.out({ type: 'pong', req, now: 0, position: server.now(), heads });
      }
      case 'sync':
        this.out({ type: 'ok', req });
        return this.show(frame);
      case 'profiles': {
        const users = frame.users ?? [userId(frame.name!)];
        return this.out({ type: 'profiles', req, users: users.map((user) => server.profiles.get(user) ?? { id: user, name: user.slice(2).replace(/a+$/, ''), version: 1 }) });
      }
      case 'notify':
      case 'settings':
      case 'block':
        return this.out({ type: 'ok', req });
      case 'auth':
        return this.out({ type: 'ok', req });
      default:
        return server.more(frame, this);
    }
  }

  private get name(): string {
    return nameOf(this.user!);
  }

  private made(room: string, req: number): void {
    this.out({ type: 'ack', req, room, seq: 1, msg_no: 0, ts: 1 });
  }

  private member(room: string, user: string, state: 'joined' | 'left' | 'removed', req: number): void {
    const joined = this.server.rooms.get(room)!.members.get(user)?.state === 'joined';
    if (joined === (state === 'joined')) {
      const code = joined ? 'already_member' : 'not_member';
      return this.out({ type: 'error', req, code, message: code, retryable: false });
    }
    this.made(room, req);
    const members = [...this.server.rooms.get(room)!.members.values()].filter((one) => one.state === 'joined').length;
    this.server.append(room, this.name, { kind: 'member', body: { user, state, role: 'member', members: members + (state === 'joined' ? 1 : -1) } });
  }

  /** Commands about messages and people, without the rules about who may. */
  private about(frame: About): void {
    const { server } = this;
    const room = server.rooms.get(frame.room)!;
    const events = room.events.filter((one): one is Event => 'kind' in one);
    const first = events.find((one) => one.key === frame.key && one.from[0] === this.user);
    const target = 'target' in frame ? frame.target : undefined;
    const gone = events.some((one) => one.kind === 'redact' && one.target === target);
    if (!first && target && gone) return this.out({ type: 'error', req: frame.req, code: 'gone', message: 'gone', retryable: false });
    const seq = first?.seq ?? server.head(room) + 1;
    this.out({ type: 'ack', req: frame.req, room: room.id, seq, msg_no: 1, ts: 1_700_000_000_000 });
    if (!first) server.append(room.id, this.name, bodyOf(frame, room), frame.key, target ? { target } : {});
  }

  private store(frame: Of<'send'>): void {
    const { server } = this;
    const room = server.rooms.get(frame.room)!;
    const events = room.events.filter((one): one is Event => 'kind' in one);
    const first = events.find((one) => one.key === frame.key && one.from[0] === this.user);
    if (first && first.kind === 'message' && first.body.text !== frame.text) {
      return this.out({ type: 'error', req: frame.req, code: 'conflict', message: 'used', retryable: false });
    }
    const seq = first?.seq ?? server.head(room) + 1;
    this.out({ type: 'ack', req: frame.req, room: room.id, seq, msg_no: 1, ts: 1_700_000_000_000 });
    const { reply_to: answered, mentions } = frame;
    if (!first) server.say(room.id, this.name, frame.text!, frame.key, { ...(answered && { reply_to: answered }), ...(mentions && { mentions }) });
  }

  private after(frame: Of<'after'>, open = false): void {
    const { server } = this;
    const room = server.rooms.get(frame.room)!;
    const head = server.head(room);
    const req = open ? {} : { req: frame.req };
    const at = room.events.find((one) => 'kind' in one && one.seq === frame.seq);
    const other = frame.key !== undefined && (!at || !('key' in at) || at.key !== frame.key);
    if (other || head - frame.seq >= server.streamMax) {
      const row = server.row(room, this.user!);
      const page = server.folded(room, Infinity, 50);
      return this.out({ type: 'reset', ...req, why: other ? 'history' : 'too_far', row, page, redacted: [] });
    }
    const items = server.items(room, frame.seq, Math.min(frame.limit ?? 50, 200));
    const last = items.at(-1);
    const to = last ? (last.type === 'skip' ? last.to : last.seq) : frame.seq;
    this.out({ type: 'events', ...req, room: room.id, from: frame.seq + 1, to, head, items });
  }
}
