// Generated from crates/core by `cargo test -p chinwag-core generated`. Do not edit.

export type RoomId = string;

export type UserId = string;

export type DeviceId = string;

export type SessionId = string;

export type Key = string;

export type Epoch = string;

export type Seq = number;

export type Millis = number;

export type Position = string;

export type RoomKind = "direct" | "group" | "public";

export type Role = "reader" | "member" | "admin" | "owner";

export type MemberState = "joined" | "left" | "removed" | "banned" | "invited";

export type HistoryFrom = "joining" | "beginning";

export type SkipWhy = "before_join" | "not_member" | "purged";

export type ErrorCode = "bad_frame" | "unknown_command" | "bad_field" | "too_long" | "blank" | "hello_first" | "hello_twice" | "req_reused" | "bad_token" | "token_expired" | "not_found" | "forbidden" | "not_member" | "already_member" | "room_full" | "too_many_rooms" | "self_direct" | "muted" | "banned" | "last_owner" | "gone" | "no_message" | "too_many" | "conflict" | "retry_in_order" | "rate_limited" | "unavailable" | "storage_full" | "going_away" | "name_taken" | "bad_credentials" | "weak_password" | "registration_closed" | "invite_needed" | "bad_invite" | "already_invited" | "not_last" | "busy";

export type Author = [UserId, number];

export type Mention = string;

export type RoomBody = {
/**
 * What it is for.
 */
kind: RoomKind,
/**
 * Its name; direct rooms have none.
 */
name?: string,
/**
 * From where on members see its log.
 */
history: HistoryFrom,
/**
 * Who is in from the first event on.
 */
members: Array<[UserId, Role]>, };

export type MemberBody = {
/**
 * Whose membership; the author may be another.
 */
user: UserId,
/**
 * Where they stand from now on.
 */
state: MemberState,
/**
 * What they may do from now on.
 */
role: Role,
/**
 * How many are in from now on; absent in logs of before this was said.
 */
members?: number, };

export type TextBody = {
/**
 * The text, byte for byte as it was sent.
 */
text: string, };

export type OpaqueBytes = string;

export type OpaqueBody = { enc: string, bytes: OpaqueBytes, text?: undefined };

export type Content = TextBody | OpaqueBody;

export type RedactBody = Record<symbol, never>;

export type ReactionBody = {
/**
 * Which.
 */
emoji: string,
/**
 * Put on, or taken off.
 */
on: boolean, };

export type SettingsBody = {
/**
 * The name from now on.
 */
name?: string,
/**
 * The topic from now on; empty: none.
 */
topic?: string,
/**
 * The picture from now on; `null`: none.
 */
avatar?: Avatar, };

export type RoleBody = {
/**
 * Whose.
 */
user: UserId,
/**
 * Their role from now on.
 */
role: Role,
/**
 * Whether they have no voice from now on.
 */
muted: boolean, };

export type PinBody = {
/**
 * Pinned, or unpinned.
 */
on: boolean, };

export type DamagedBody = Record<symbol, never>;

export type Body = { "kind": "room", "body": RoomBody } | { "kind": "member", "body": MemberBody } | { "kind": "message", "body": Content } | { "kind": "edit", "body": Content } | { "kind": "redact", "body": RedactBody } | { "kind": "reaction", "body": ReactionBody } | { "kind": "settings", "body": SettingsBody } | { "kind": "role", "body": RoleBody } | { "kind": "pin", "body": PinBody } | { "kind": "damaged", "body": DamagedBody };

export type Event = {
/**
 * Whose log.
 */
room: RoomId,
/**
 * Its place: dense, from 1.
 */
seq: Seq,
/**
 * How many messages the log has up to and with this event.
 */
msg_no: number,
/**
 * Version of the body's shape.
 */
v: number,
/**
 * Who, and the version of their profile when they wrote it.
 */
from: Author,
/**
 * The idempotency key of the command that made it.
 */
key: Key,
/**
 * When the server took it: a label.
 */
ts: Millis,
/**
 * The event that this one is about: edits, redactions, reactions.
 */
target?: Seq,
/**
 * The message that this one answers.
 */
reply_to?: Seq,
/**
 * Whom this message calls on.
 */
mentions?: Array<Mention>, } & ({ "kind": "room", "body": RoomBody } | { "kind": "member", "body": MemberBody } | { "kind": "message", "body": Content } | { "kind": "edit", "body": Content } | { "kind": "redact", "body": RedactBody } | { "kind": "reaction", "body": ReactionBody } | { "kind": "settings", "body": SettingsBody } | { "kind": "role", "body": RoleBody } | { "kind": "pin", "body": PinBody } | { "kind": "damaged", "body": DamagedBody });

export type Folded = {
/**
 * The edit that the text comes from.
 */
edited?: Seq,
/**
 * The redaction that emptied it.
 */
redacted?: Seq,
/**
 * Reactions that stand, by emoji and user.
 */
reactions?: Array<[string, UserId]>,
/**
 * Whether the reader has hidden it from themselves: it is not to be shown.
 */
hidden?: boolean,
/**
 * Whose log.
 */
room: RoomId,
/**
 * Its place: dense, from 1.
 */
seq: Seq,
/**
 * How many messages the log has up to and with this event.
 */
msg_no: number,
/**
 * Version of the body's shape.
 */
v: number,
/**
 * Who, and the version of their profile when they wrote it.
 */
from: Author,
/**
 * The idempotency key of the command that made it.
 */
key: Key,
/**
 * When the server took it: a label.
 */
ts: Millis,
/**
 * The event that this one is about: edits, redactions, reactions.
 */
target?: Seq,
/**
 * The message that this one answers.
 */
reply_to?: Seq,
/**
 * Whom this message calls on.
 */
mentions?: Array<Mention>, } & ({ "kind": "room", "body": RoomBody } | { "kind": "member", "body": MemberBody } | { "kind": "message", "body": Content } | { "kind": "edit", "body": Content } | { "kind": "redact", "body": RedactBody } | { "kind": "reaction", "body": ReactionBody } | { "kind": "settings", "body": SettingsBody } | { "kind": "role", "body": RoleBody } | { "kind": "pin", "body": PinBody } | { "kind": "damaged", "body": DamagedBody });

export type Profile = {
/**
 * Who.
 */
id: UserId,
/**
 * Their name.
 */
name: string,
/**
 * Rises with each change.
 */
version: number,
/**
 * What they want to be called; need not be theirs alone.
 */
display_name?: string,
/**
 * Their picture.
 */
avatar?: AvatarId, };

export type DirectoryRow = {
/**
 * Its id.
 */
room: RoomId,
/**
 * Its name.
 */
name: string,
/**
 * How many are in.
 */
members: number,
/**
 * Its picture.
 */
avatar?: AvatarId, };

export type PublicLimits = {
/**
 * Bytes of one text.
 */
text_bytes: number,
/**
 * Bytes of one frame.
 */
frame_bytes: number,
/**
 * Commands that may wait for their reply.
 */
in_flight: number,
/**
 * Rooms in `open`.
 */
open_rooms: number,
/**
 * Messages a second, steadily.
 */
rate_per_second: number,
/**
 * Messages at once, after silence.
 */
rate_burst: number, };

export type NotifyLevel = "all" | "mentions" | "none";

export type Notify = {
/**
 * What.
 */
level: NotifyLevel,
/**
 * Nothing until then; absent: the room is not quiet.
 */
quiet_until?: Millis,
/**
 * Rises with each change; 0 before the first.
 */
version: number, };

export type Daily = {
/**
 * The first minute, 0 to 1439.
 */
from: number,
/**
 * The minute after the last, 0 to 1439.
 */
to: number, };

export type Blocks = {
/**
 * By id.
 */
users: Array<UserId>,
/**
 * Rises with each change; 0 before the first.
 */
version: number, };

export type Hidden = {
/**
 * The newest of these messages, by seq.
 */
seqs: Array<Seq>,
/**
 * Rises with each change.
 */
version: number,
/**
 * There are older ones: `hidden` lists them all.
 */
more?: boolean, };

export type Me = {
/**
 * Where one stands.
 */
state: MemberState,
/**
 * What one may do.
 */
role: Role,
/**
 * The event that let one in last.
 */
since: Seq,
/**
 * One's delivered marker.
 */
delivered: Seq,
/**
 * One's read marker.
 */
read: Seq,
/**
 * Countable messages after it: exact to 999, then 1000 for "999+" (contract 6).
 */
unread: number,
/**
 * How many of them call on one, by name or as part of the room.
 */
mentions?: number,
/**
 * Whether one's voice in the room was taken.
 */
muted?: boolean,
/**
 * What one wants to be notified of, if that was ever changed.
 */
notify?: Notify,
/**
 * What one has hidden from oneself, if that was ever changed.
 */
hidden?: Hidden, };

export type RoomRow = {
/**
 * Its id.
 */
room: RoomId,
/**
 * What it is for.
 */
kind: RoomKind,
/**
 * Its name; direct rooms have none.
 */
name?: string,
/**
 * What it is about.
 */
topic?: string,
/**
 * Its picture.
 */
avatar?: AvatarId,
/**
 * The other one of a direct room.
 */
peer?: UserId,
/**
 * From where on members see its log.
 */
history: HistoryFrom,
/**
 * The last seq that the reader may see.
 */
head: Seq,
/**
 * How many messages the log has up to `head`.
 */
msg_no: number,
/**
 * Below it the log is purged.
 */
floor: Seq,
/**
 * How many are in.
 */
members: number,
/**
 * The pinned messages that the reader may see, in the order of pinning.
 */
pins?: Array<Seq>,
/**
 * The reader's own row.
 */
me: Me, };

export type Last = {
/**
 * Its room.
 */
room: RoomId,
/**
 * Its place.
 */
seq: Seq,
/**
 * Its key.
 */
key: Key, };

export type Cursor = {
/**
 * The store's life that the rest belongs to.
 */
epoch?: Epoch,
/**
 * The newest position that the client has taken in.
 */
position?: Position,
/**
 * The event applied last, in any room: exposes a store that was changed behind our back.
 */
last?: Last,
/**
 * The rooms whose missed events are to be streamed at once, with the seq applied last.
 */
open?: Array<[RoomId, Seq]>, };

export type Skip = {
/**
 * Whose log.
 */
room: RoomId,
/**
 * The first.
 */
from: Seq,
/**
 * The last.
 */
to: Seq,
/**
 * Why.
 */
why: SkipWhy, };

export type Item = { "type": "event" } & Event | { "type": "skip" } & Skip;

export type ResetWhy = "epoch" | "history" | "too_far";

export type Reset = {
/**
 * Pairs with `after`; absent while connecting.
 */
req?: number,
/**
 * Why.
 */
why: ResetWhy,
/**
 * The room, markers and all.
 */
row: RoomRow,
/**
 * The last 50 folded messages.
 */
page: Array<Folded>,
/**
 * What was redacted since the cursor, for pages that the client keeps elsewhere.
 */
redacted: Array<Seq>, };

export type Settings = {
/**
 * Nobody is told when they were online last.
 */
hide_last_seen: boolean,
/**
 * Nobody is told that they are online, or that they type.
 */
hide_online: boolean,
/**
 * Nobody is told what they have received and read.
 */
hide_receipts: boolean,
/**
 * Rises with each change; 0 before the first.
 */
version: number,
/**
 * Nothing disturbs them until then; absent: not so.
 */
dnd_until?: Millis,
/**
 * Nothing disturbs them at this time of each day; absent: not so.
 */
dnd_daily?: Daily, };

export type Standing = {
/**
 * Who.
 */
user: UserId,
/**
 * Their delivered marker.
 */
delivered: Seq,
/**
 * Their read marker.
 */
read: Seq,
/**
 * When a device of theirs had the message asked for, to a second; absent if it has not, or if
 * that is no longer known.
 */
delivered_at?: Millis,
/**
 * When they had read it, likewise.
 */
read_at?: Millis, };

export type Person = {
/**
 * Who.
 */
user: UserId,
/**
 * Whether they are online.
 */
online: boolean,
/**
 * When they were online last, to the minute; absent if it is not known or not told.
 */
last_seen?: Millis, };

export type InviteId = string;

export type InviteToken = string;

export type InviteRow = {
/**
 * Its id; the token of its link is nowhere any more.
 */
id: InviteId,
/**
 * Who made it.
 */
by: UserId,
/**
 * How many people it still lets in.
 */
uses: number,
/**
 * Until when.
 */
expires: Millis, };

export type EditRow = {
/**
 * The event: the message itself, or an edit of it.
 */
seq: Seq,
/**
 * When.
 */
ts: Millis, } & (TextBody | OpaqueBody);

export type AvatarId = string;

export type Avatar = AvatarId | null;

export type ClientFrame = { "type": "hello",
/**
 * Protocol version: 1.
 */
v: number,
/**
 * An access token.
 */
token: string,
/**
 * The install that speaks; makes one's own devices tellable apart.
 */
device?: DeviceId,
/**
 * Send what waits together, every 100 ms, and ask seldom for signs of life.
 */
low_bandwidth?: boolean,
/**
 * The store's life that the rest belongs to.
 */
epoch?: Epoch,
/**
 * The newest position that the client has taken in.
 */
position?: Position,
/**
 * The event applied last, in any room: exposes a store that was changed behind our back.
 */
last?: Last,
/**
 * The rooms whose missed events are to be streamed at once, with the seq applied last.
 */
open?: Array<[RoomId, Seq]>, } | { "type": "auth",
/**
 * Pairs the reply.
 */
req: number,
/**
 * An access token of the same user.
 */
token: string, } | { "type": "sync",
/**
 * Pairs the reply.
 */
req: number,
/**
 * The store's life that the rest belongs to.
 */
epoch?: Epoch,
/**
 * The newest position that the client has taken in.
 */
position?: Position,
/**
 * The event applied last, in any room: exposes a store that was changed behind our back.
 */
last?: Last,
/**
 * The rooms whose missed events are to be streamed at once, with the seq applied last.
 */
open?: Array<[RoomId, Seq]>, } | { "type": "send",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Idempotency key.
 */
key: Key,
/**
 * Where.
 */
room: RoomId,
/**
 * The message that it answers.
 */
reply_to?: Seq,
/**
 * Whom it calls on: ids of people, or `room`.
 */
mentions?: Array<Mention>,
/**
 * Only if this is the last message of the room; 0: if there is none.
 */
if_last?: Seq, } & (TextBody | OpaqueBody) | { "type": "edit",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Idempotency key.
 */
key: Key,
/**
 * Where.
 */
room: RoomId,
/**
 * Which message.
 */
target: Seq, } & (TextBody | OpaqueBody) | { "type": "redact",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Idempotency key.
 */
key: Key,
/**
 * Where.
 */
room: RoomId,
/**
 * Which message.
 */
target: Seq, } | { "type": "react",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Idempotency key.
 */
key: Key,
/**
 * Where.
 */
room: RoomId,
/**
 * On which message.
 */
target: Seq,
/**
 * Which: one user-perceived character.
 */
emoji: string,
/**
 * Put on, or taken off.
 */
on: boolean, } | { "type": "pin",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Idempotency key.
 */
key: Key,
/**
 * Where.
 */
room: RoomId,
/**
 * Which message.
 */
target: Seq,
/**
 * Pinned, or unpinned.
 */
on: boolean, } | { "type": "configure",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Idempotency key.
 */
key: Key,
/**
 * Which.
 */
room: RoomId,
/**
 * The name from now on, if it changes.
 */
name?: string,
/**
 * The topic from now on, if it changes; empty for none.
 */
topic?: string,
/**
 * Its picture from now on, if that changes; `null` for none.
 */
avatar?: Avatar, } | { "type": "create",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Idempotency key; the room's id follows from it.
 */
key: Key,
/**
 * `group` or `public`.
 */
kind: RoomKind,
/**
 * Its name.
 */
name: string,
/**
 * From where on members see its log; usually `joining` in groups, `beginning` in public
 * rooms.
 */
history?: HistoryFrom, } | { "type": "direct",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Idempotency key.
 */
key: Key,
/**
 * The other one.
 */
user: UserId, } | { "type": "join",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Idempotency key.
 */
key: Key,
/**
 * Which.
 */
room: RoomId,
/**
 * By which invitation.
 */
invite?: InviteToken, } | { "type": "leave",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Idempotency key.
 */
key: Key,
/**
 * Which.
 */
room: RoomId, } | { "type": "add",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Idempotency key.
 */
key: Key,
/**
 * Which.
 */
room: RoomId,
/**
 * Whom.
 */
user: UserId, } | { "type": "remove",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Idempotency key.
 */
key: Key,
/**
 * Which.
 */
room: RoomId,
/**
 * Whom.
 */
user: UserId, } | { "type": "ban",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Idempotency key.
 */
key: Key,
/**
 * From which room.
 */
room: RoomId,
/**
 * Whom.
 */
user: UserId,
/**
 * For good, or no longer.
 */
on: boolean, } | { "type": "role",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Idempotency key.
 */
key: Key,
/**
 * In which room.
 */
room: RoomId,
/**
 * Whose.
 */
user: UserId,
/**
 * Which.
 */
role: Role, } | { "type": "mute",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Idempotency key.
 */
key: Key,
/**
 * In which room.
 */
room: RoomId,
/**
 * Whose.
 */
user: UserId,
/**
 * Taken, or given back.
 */
on: boolean, } | { "type": "mark",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Which.
 */
room: RoomId,
/**
 * The gap-free prefix that this device has.
 */
delivered?: Seq,
/**
 * What has been read; implies delivered.
 */
read?: Seq, } | { "type": "after",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Which.
 */
room: RoomId,
/**
 * The seq applied last; 0 for none.
 */
seq: Seq,
/**
 * Its key, so that another history shows; left out after a skip or at 0.
 */
key?: Key,
/**
 * At most so many (200).
 */
limit?: number, } | { "type": "history",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Which.
 */
room: RoomId,
/**
 * Only what lies before this seq; left out: from the head.
 */
before?: Seq,
/**
 * The answer must know this seq, whichever node answers.
 */
at_least?: Seq,
/**
 * At most so many (50, 200 at most).
 */
limit?: number, } | { "type": "room",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Which.
 */
room: RoomId, } | { "type": "members",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Which.
 */
room: RoomId,
/**
 * Only those after this one.
 */
after?: UserId,
/**
 * `joined`, as usual, or `banned`.
 */
state?: "joined" | "banned", } | { "type": "profiles",
/**
 * Pairs the reply.
 */
req: number,
/**
 * By id.
 */
users?: Array<UserId>,
/**
 * By name.
 */
name?: string, } | { "type": "directory",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Only those after this one.
 */
after?: RoomId, } | { "type": "ping",
/**
 * Pairs the reply.
 */
req: number,
/**
 * The rooms whose heads the client wants to compare.
 */
rooms?: Array<RoomId>, } | { "type": "typing",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Where.
 */
room: RoomId,
/**
 * Whether one types.
 */
on: boolean, } | { "type": "watch",
/**
 * Pairs the reply.
 */
req: number,
/**
 * All of them.
 */
rooms?: Array<RoomId>, } | { "type": "who",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Which.
 */
room: RoomId,
/**
 * Only those after this one.
 */
after?: UserId,
/**
 * Only those who are online.
 */
online?: boolean, } | { "type": "settings",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Nobody is told when one was online last.
 */
hide_last_seen?: boolean,
/**
 * Nobody is told that one is online, or that one types.
 */
hide_online?: boolean,
/**
 * Nobody is told what one has received and read.
 */
hide_receipts?: boolean,
/**
 * Nothing disturbs one until then; 0: no longer so.
 */
dnd_until?: Millis,
/**
 * Nothing disturbs one at this time of each day; `from` as `to`: no longer so.
 */
dnd_daily?: Daily, } | { "type": "notify",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Which.
 */
room: RoomId,
/**
 * What of it.
 */
level?: NotifyLevel,
/**
 * Nothing until then; 0: no longer quiet.
 */
quiet_until?: Millis, } | { "type": "block",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Whom.
 */
user: UserId,
/**
 * Blocked, or no longer.
 */
on: boolean, } | { "type": "receipts",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Where.
 */
room: RoomId,
/**
 * A message: also when they received and read it.
 */
seq?: Seq, } | { "type": "invite",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Which.
 */
room: RoomId,
/**
 * For how long it is good (seven days).
 */
expires_in_ms?: number,
/**
 * How many people it lets in (as many as a room has place for).
 */
uses?: number, } | { "type": "invites",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Which.
 */
room: RoomId, } | { "type": "revoke_invite",
/**
 * Pairs the reply.
 */
req: number,
/**
 * To which room.
 */
room: RoomId,
/**
 * Which.
 */
invite: InviteId, } | { "type": "invitation",
/**
 * Pairs the reply.
 */
req: number,
/**
 * What the link holds.
 */
token: InviteToken, } | { "type": "invite_user",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Idempotency key.
 */
key: Key,
/**
 * Which.
 */
room: RoomId,
/**
 * Whom.
 */
user: UserId, } | { "type": "edits",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Where.
 */
room: RoomId,
/**
 * Which message.
 */
target: Seq,
/**
 * Only those after this one.
 */
after?: Seq, } | { "type": "profile",
/**
 * Pairs the reply.
 */
req: number,
/**
 * What one wants to be called; empty (or `null`): by one's name.
 */
display_name?: string | null,
/**
 * One's picture; `null` for none.
 */
avatar?: Avatar, } | { "type": "hide",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Where.
 */
room: RoomId,
/**
 * Which message.
 */
target: Seq,
/**
 * Hidden, or no longer.
 */
on: boolean, } | { "type": "hidden",
/**
 * Pairs the reply.
 */
req: number,
/**
 * Which.
 */
room: RoomId, };

export type ServerFrame = { "type": "welcome",
/**
 * The version spoken.
 */
v: number,
/**
 * The store's life.
 */
epoch: Epoch,
/**
 * Who the token says one is.
 */
user: Profile,
/**
 * The session of the token; foreign tokens have none.
 */
session?: SessionId,
/**
 * What else the server can do.
 */
features: Array<string>,
/**
 * Its bounds.
 */
limits: PublicLimits,
/**
 * Its clock.
 */
now: Millis, } | { "type": "summary",
/**
 * Rooms of this frame.
 */
rooms: Array<RoomRow>,
/**
 * Unread messages of all rooms of the whole summary: the sum of `unread` in their rows.
 */
new: number,
/**
 * These are all rooms one is in: forget the others.
 */
all: boolean,
/**
 * Why everything cached is void, if it is.
 */
reset?: ResetWhy,
/**
 * Another `summary` follows.
 */
more: boolean,
/**
 * In the first one: what one shows of oneself, if that was ever changed.
 */
settings?: Settings,
/**
 * In the first one: whom one has blocked, if that has changed.
 */
blocks?: Blocks,
/**
 * In the first one: what others see of oneself, if that has changed.
 */
profile?: Profile, } | { "type": "event" } & Event | { "type": "skip" } & Skip | { "type": "events",
/**
 * Pairs with `after`; absent while connecting.
 */
req?: number,
/**
 * Whose log.
 */
room: RoomId,
/**
 * The first seq accounted for.
 */
from: Seq,
/**
 * The last.
 */
to: Seq,
/**
 * The last that there is: ask again while `to` is smaller.
 */
head: Seq,
/**
 * All of them.
 */
items: Array<Item>, } | { "type": "reset" } & Reset | { "type": "page",
/**
 * Pairs with `history`.
 */
req: number,
/**
 * Whose.
 */
room: RoomId,
/**
 * The state of the messages is that after this seq.
 */
as_of: Seq,
/**
 * Oldest first.
 */
messages: Array<Folded>,
/**
 * Parts of the stretch that the reader may not see.
 */
skips: Array<Skip>,
/**
 * Where the next page ends; absent: this was the oldest.
 */
before?: Seq, } | { "type": "caught_up",
/**
 * To be stored with the last event before it.
 */
position: Position, } | { "type": "ack",
/**
 * Pairs with the command.
 */
req: number,
/**
 * The room, for those that make one.
 */
room: RoomId,
/**
 * Its place.
 */
seq: Seq,
/**
 * The messages up to and with it.
 */
msg_no: number,
/**
 * The label.
 */
ts: Millis, } | { "type": "ok",
/**
 * Pairs with the command.
 */
req: number, } | { "type": "error",
/**
 * Pairs with the command; absent if it had none that could be read.
 */
req?: number,
/**
 * For programs.
 */
code: ErrorCode,
/**
 * For developers: what, where, what to do.
 */
message: string,
/**
 * The field at fault.
 */
field?: string,
/**
 * Whether the same command may succeed later.
 */
retryable: boolean,
/**
 * When.
 */
retry_after_ms?: number,
/**
 * With `not_last`: where the last message stands.
 */
seq?: Seq, } | { "type": "behind", } | { "type": "marker",
/**
 * Whose.
 */
room: RoomId,
/**
 * What a device has.
 */
delivered: Seq,
/**
 * What has been read.
 */
read: Seq,
/**
 * Countable messages after it.
 */
unread: number,
/**
 * How many of them call on one.
 */
mentions?: number, } | { "type": "token_expiring",
/**
 * From now.
 */
in_ms: number, } | { "type": "reconnect",
/**
 * Not before.
 */
after_ms: number,
/**
 * Spread over so much more.
 */
spread_ms: number, } | { "type": "pong",
/**
 * Pairs with `ping`.
 */
req: number,
/**
 * The server's clock.
 */
now: Millis,
/**
 * A newer position, if all up to it has been said on this connection.
 */
position?: Position,
/**
 * Heads of the rooms asked for that one is in.
 */
heads: Array<[RoomId, Seq]>, } | { "type": "room",
/**
 * Pairs with `room`.
 */
req: number,
/**
 * The row.
 */
row: RoomRow, } | { "type": "members",
/**
 * Pairs with `members`.
 */
req: number,
/**
 * Whose.
 */
room: RoomId,
/**
 * Those who are in, or who are banned if that was asked for.
 */
members: Array<[UserId, Role]>,
/**
 * Ask again after the last of these.
 */
more: boolean,
/**
 * Who of them has no voice.
 */
muted?: Array<UserId>, } | { "type": "profiles",
/**
 * Pairs with `profiles`.
 */
req: number,
/**
 * Whom.
 */
users: Array<Profile>, } | { "type": "directory",
/**
 * Pairs with `directory`.
 */
req: number,
/**
 * Which.
 */
rooms: Array<DirectoryRow>,
/**
 * Ask again after the last of these.
 */
more: boolean, } | { "type": "typing",
/**
 * Where.
 */
room: RoomId,
/**
 * By id.
 */
users: Array<UserId>,
/**
 * How many type beside them.
 */
more: number, } | { "type": "presence",
/**
 * Where.
 */
room: RoomId,
/**
 * How many are online.
 */
count: number,
/**
 * The number of this change; absent if the room is too large for names.
 */
change?: number,
/**
 * All who are online: the list anew.
 */
online?: Array<UserId>,
/**
 * Who is online now.
 */
joined?: Array<UserId>,
/**
 * Who is no longer online.
 */
left?: Array<UserId>, } | { "type": "who",
/**
 * Pairs with `who`.
 */
req: number,
/**
 * Whose.
 */
room: RoomId,
/**
 * Those who are in.
 */
people: Array<Person>,
/**
 * Ask again after the last of these.
 */
more: boolean, } | { "type": "settings" } & Settings | { "type": "notify",
/**
 * Where.
 */
room: RoomId,
/**
 * What, from now on.
 */
notify: Notify, } | { "type": "blocks",
/**
 * By id.
 */
users: Array<UserId>,
/**
 * Of two lists the higher one holds.
 */
version: number, } | { "type": "receipt",
/**
 * Where.
 */
room: RoomId,
/**
 * Who, and their delivered and read markers.
 */
members: Array<[UserId, Seq, Seq]>, } | { "type": "receipts",
/**
 * Pairs with `receipts`.
 */
req: number,
/**
 * Where.
 */
room: RoomId,
/**
 * The message asked for.
 */
seq?: Seq,
/**
 * Those who are in and show it.
 */
members: Array<Standing>, } | { "type": "invite",
/**
 * Pairs with `invite`.
 */
req: number,
/**
 * To which room.
 */
room: RoomId,
/**
 * What the link must hold.
 */
token: InviteToken,
/**
 * The invitation.
 */
invite: InviteRow, } | { "type": "invites",
/**
 * Pairs with `invites`.
 */
req: number,
/**
 * To which room.
 */
room: RoomId,
/**
 * All of them.
 */
invites: Array<InviteRow>, } | { "type": "invitation",
/**
 * Pairs with `invitation`.
 */
req: number,
/**
 * The room, for `join`.
 */
room: RoomId,
/**
 * What it is for.
 */
kind: RoomKind,
/**
 * Its name.
 */
name?: string,
/**
 * What it is about.
 */
topic?: string,
/**
 * How many are in.
 */
members: number,
/**
 * Its picture.
 */
avatar?: AvatarId, } | { "type": "edits",
/**
 * Pairs with `edits`.
 */
req: number,
/**
 * Where.
 */
room: RoomId,
/**
 * Which message.
 */
target: Seq,
/**
 * Itself as it was sent, and each edit.
 */
edits: Array<EditRow>,
/**
 * Ask again after the last of these.
 */
more: boolean, } | { "type": "row",
/**
 * As it is now.
 */
row: RoomRow, } | { "type": "profile",
/**
 * Oneself.
 */
user: Profile, } | { "type": "hidden",
/**
 * Pairs with `hidden`; absent where it was not asked for.
 */
req?: number,
/**
 * Where.
 */
room: RoomId,
/**
 * By seq.
 */
seqs: Array<Seq>,
/**
 * Of two lists the higher one holds.
 */
version: number, };
