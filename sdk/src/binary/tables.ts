/** The tables of docs/protocol.md, section 16. Their order is the protocol's; the golden frames hold it. */

import { count, flag, frames, id, list, pair, record, same, word, type Shape } from './shape.js';

const room = id('r_');
const user = id('u_');
const key = id('k_');
const epoch = id('e_');

const avatar = id('a_');
/** A choice of one, or of none: no bytes. */
const picture: Shape = {
  out: (value, whole) => (value === null ? new Uint8Array() : avatar.out(value, whole)),
  in: (plain, whole) => ((plain as Uint8Array).length ? avatar.in(plain, whole) : null),
  said: true,
};
const invite = id('i_');
const token = id('t_');

const roomKind = word('direct', 'group', 'public');
const role = word('reader', 'member', 'admin', 'owner');
const state = word('joined', 'left', 'removed', 'banned', 'invited');
const history = word('joining', 'beginning');
const skipWhy = word('before_join', 'not_member', 'purged');
const resetWhy = word('epoch', 'history', 'too_far');

/** A person, or `true` for the whole room. */
const mention: Shape = {
  out: (value, whole) => value === 'room' || user.out(value, whole),
  in: (plain, whole) => (plain === true ? 'room' : user.in(plain, whole)),
};

/** Bytes; in JSON base64url (RFC 4648, section 5) without padding. */
const bytes: Shape = {
  out: (value) => Uint8Array.from(atob((value as string).replace(/-/g, '+').replace(/_/g, '/')), (one) => one.charCodeAt(0)),
  in: (plain) =>
    btoa(Array.from(plain as Uint8Array, (byte) => String.fromCharCode(byte)).join(''))
      .replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, ''),
};
const opaque = { 'enc?': same, 'bytes?': bytes };
const said = { 'text?': same, ...opaque };
const text = record(said);
const nothing = record({});
/** By the word in `kind`. */
const bodies: Record<string, Shape> = {
  room: record({ kind: roomKind, 'name?': same, history, members: list(pair(user, role)) }),
  member: record({ user, state, role, 'members?': same }),
  message: text,
  edit: text,
  redact: nothing,
  reaction: record({ emoji: same, on: flag }),
  damaged: nothing,
  settings: record({ 'name?': same, 'topic?': same, 'avatar?': picture }),
  role: record({ user, role, muted: flag }),
  pin: record({ on: flag }),
};
const body: Shape = {
  out: (value, whole) => (bodies[whole['kind'] as string] ?? same).out(value, whole),
  in: (plain, whole) => (bodies[whole['kind'] as string] ?? same).in(plain, whole),
};

const event = {
  room, seq: same, msg_no: same, v: same, from: pair(user, same), key, ts: same,
  kind: word(...Object.keys(bodies)), body, 'target?': same, 'reply_to?': same,
  'mentions?': list(mention),
};
const skip = { room, from: same, to: same, why: skipWhy };
const line = record({ ...event, 'edited?': same, 'redacted?': same, 'reactions?': list(pair(same, user)), 'hidden?': same });
const profile = record({ id: user, name: same, version: same, 'display_name?': same, 'avatar?': avatar });
const level = word('all', 'mentions', 'none');
const notify = record({ level, 'quiet_until?': same, version: same });
const me = record({
  state, role, since: same, delivered: same, read: same, unread: same, 'mentions?': count, 'muted?': same, 'notify?': notify,
  'hidden?': record({ seqs: list(same), version: same, 'more?': same }),
});
const row = record({
  room, kind: roomKind, 'name?': same, 'peer?': user, history, head: same, msg_no: same, floor: same, members: same, me,
  'topic?': same, 'pins?': list(same), 'avatar?': avatar,
});
const limits = record({
  text_bytes: same, frame_bytes: same, in_flight: same, open_rooms: same, rate_per_second: same, rate_burst: same,
});

const invitation = record({ id: invite, by: user, uses: same, expires: same });
const daily = record({ from: same, to: same });
const settings = {
  hide_last_seen: flag, hide_online: flag, version: same, hide_receipts: flag, 'dnd_until?': same, 'dnd_daily?': daily,
};
const standing = { user, delivered: same, read: same, 'delivered_at?': same, 'read_at?': same };
const blocks = { users: list(user), version: same };
const choice: Shape = { ...same, said: true };
const everybody: Shape = { ...list(user), said: true };

const req = same;
const cursor = {
  'epoch?': epoch, 'position?': same, 'last?': record({ room, seq: same, key }), 'open?': list(pair(room, same)),
};

/** What a client says. */
export const client = frames({
  hello: { v: same, token: same, 'device?': id('d_'), ...cursor, 'low_bandwidth?': flag },
  auth: { req, token: same },
  sync: { req, ...cursor },
  send: { req, key, room, 'text?': same, 'reply_to?': same, 'mentions?': list(mention), 'if_last?': same, ...opaque },
  create: { req, key, kind: roomKind, name: same, 'history?': history },
  direct: { req, key, user },
  join: { req, key, room, 'invite?': token },
  leave: { req, key, room },
  add: { req, key, room, user },
  remove: { req, key, room, user },
  mark: { req, room, 'delivered?': same, 'read?': same },
  after: { req, room, seq: same, 'key?': key, 'limit?': same },
  history: { req, room, 'before?': same, 'at_least?': same, 'limit?': same },
  room: { req, room },
  members: { req, room, 'after?': user, 'state?': state },
  profiles: { req, 'users?': list(user), 'name?': same },
  directory: { req, 'after?': room },
  ping: { req, 'rooms?': list(room) },
  edit: { req, key, room, target: same, ...said },
  redact: { req, key, room, target: same },
  react: { req, key, room, target: same, emoji: same, on: flag },
  pin: { req, key, room, target: same, on: flag },
  configure: { req, key, room, 'name?': same, 'topic?': same, 'avatar?': picture },
  ban: { req, key, room, user, on: flag },
  role: { req, key, room, user, role },
  mute: { req, key, room, user, on: flag },
  typing: { req, room, on: flag },
  watch: { req, 'rooms?': list(room) },
  who: { req, room, 'after?': user, 'online?': flag },
  settings: {
    req, 'hide_last_seen?': choice, 'hide_online?': choice, 'hide_receipts?': choice, 'dnd_until?': same, 'dnd_daily?': daily,
  },
  receipts: { req, room, 'seq?': same },
  notify: { req, room, 'level?': level, 'quiet_until?': same },
  block: { req, user, on: flag },
  'invite@40': { req, room, 'expires_in_ms?': same, 'uses?': same },
  invites: { req, room },
  revoke_invite: { req, room, invite },
  invitation: { req, token },
  invite_user: { req, key, room, user },
  edits: { req, room, target: same, 'after?': same },
  'profile@50': { req, 'display_name?': same, 'avatar?': picture },
  'hide@60': { req, room, target: same, on: flag },
  hidden: { req, room },
});

/** The items of `events` are whole frames themselves. */
const item: Shape = { out: (value, whole) => server.out(value, whole), in: (plain, whole) => server.in(plain, whole) };

/** What the server says. */
export const server: Shape = frames({
  welcome: { v: same, epoch, user: profile, 'session?': id('s_'), features: list(same), limits, now: same },
  event,
  skip,
  summary: {
    rooms: list(row), new: same, all: flag, 'reset?': resetWhy, more: flag, 'settings?': record(settings),
    'blocks?': record(blocks), 'profile?': profile,
  },
  events: { 'req?': req, room, from: same, to: same, head: same, items: list(item) },
  reset: { 'req?': req, why: resetWhy, row, page: list(line), redacted: list(same) },
  page: { req, room, as_of: same, messages: list(line), skips: list(record(skip)), 'before?': same },
  caught_up: { position: same },
  ack: { req, room, seq: same, msg_no: same, ts: same },
  ok: { req },
  error: { 'req?': req, code: same, message: same, 'field?': same, retryable: flag, 'retry_after_ms?': same, 'seq?': same },
  behind: {},
  marker: { room, delivered: same, read: same, unread: same, 'mentions?': count },
  token_expiring: { in_ms: same },
  reconnect: { after_ms: same, spread_ms: same },
  pong: { req, now: same, 'position?': same, heads: list(pair(room, same)) },
  room: { req, row },
  members: { req, room, members: list(pair(user, role)), more: flag, 'muted?': list(user) },
  profiles: { req, users: list(profile) },
  directory: { req, rooms: list(record({ room, name: same, members: same, 'avatar?': avatar })), more: flag },
  typing: { room, users: list(user), more: same },
  presence: { room, count: same, 'change?': same, 'online?': everybody, 'joined?': list(user), 'left?': list(user) },
  who: { req, room, people: list(record({ user, online: flag, 'last_seen?': same })), more: flag },
  settings,
  receipt: { room, members: list(pair(user, same, same)) },
  receipts: { req, room, 'seq?': same, members: list(record(standing)) },
  notify: { room, notify },
  blocks,
  'invite@30': { req, room, token, invite: invitation },
  invites: { req, room, invites: list(invitation) },
  invitation: { req, room, kind: roomKind, 'name?': same, 'topic?': same, members: same, 'avatar?': avatar },
  edits: { req, room, target: same, edits: list(record({ seq: same, ts: same, ...said })), more: flag },
  row: { row },
  'profile@50': { user: profile },
  'hidden@60': { 'req?': req, room, seqs: list(same), version: same },
});
