// The frames of protocol 1, in the shape that crates/core generates. docs/protocol.md explains them.

export type RoomId = string;
export type UserId = string;
export type DeviceId = string;
export type SessionId = string;
export type Key = string;
export type Epoch = string;
export type Position = string;
export type Seq = number;
export type Millis = number;

export type RoomKind = 'direct' | 'group' | 'public';
export type Role = 'reader' | 'member' | 'admin' | 'owner';
export type MemberState = 'joined' | 'left' | 'removed';
export type HistoryFrom = 'joining' | 'beginning';
export type SkipWhy = 'before_join' | 'not_member' | 'purged';
export type ResetWhy = 'epoch' | 'history' | 'too_far';

export type ErrorCode =
  | 'bad_frame' | 'unknown_command' | 'bad_field' | 'too_long' | 'blank' | 'hello_first' | 'hello_twice'
  | 'req_reused' | 'bad_token' | 'token_expired' | 'not_found' | 'forbidden' | 'not_member'
  | 'already_member' | 'room_full' | 'too_many_rooms' | 'self_direct' | 'conflict' | 'retry_in_order'
  | 'rate_limited' | 'unavailable' | 'storage_full' | 'going_away' | 'name_taken' | 'bad_credentials'
  | 'weak_password' | 'registration_closed' | 'invite_needed' | 'busy';

export type Author = [UserId, number];
export type RoomBody = { kind: RoomKind; name?: string; history: HistoryFrom; members: Array<[UserId, Role]> };
export type MemberBody = { user: UserId; state: MemberState; role: Role };
export type TextBody = { text: string };
export type RedactBody = Record<string, never>;
export type ReactionBody = { emoji: string; on: boolean };
export type DamagedBody = Record<string, never>;

export type Body =
  | { kind: 'room'; body: RoomBody }
  | { kind: 'member'; body: MemberBody }
  | { kind: 'message'; body: TextBody }
  | { kind: 'edit'; body: TextBody }
  | { kind: 'redact'; body: RedactBody }
  | { kind: 'reaction'; body: ReactionBody }
  | { kind: 'damaged'; body: DamagedBody };

export type Event = {
  room: RoomId; seq: Seq; msg_no: number; v: number; from: Author; key: Key; ts: Millis; target?: Seq;
} & Body;

export type Folded = { edited?: Seq; redacted?: Seq; reactions?: Array<[string, UserId]> } & Event;

export type Last = { room: RoomId; seq: Seq; key: Key };
export type Cursor = { epoch?: Epoch; position?: Position; last?: Last; open?: Array<[RoomId, Seq]> };

export type ClientFrame =
  | ({ type: 'hello'; v: number; token: string; device?: DeviceId } & Cursor)
  | { type: 'auth'; req: number; token: string }
  | ({ type: 'sync'; req: number } & Cursor)
  | { type: 'send'; req: number; key: Key; room: RoomId; text: string }
  | { type: 'create'; req: number; key: Key; kind: RoomKind; name: string }
  | { type: 'direct'; req: number; key: Key; user: UserId }
  | { type: 'join'; req: number; key: Key; room: RoomId }
  | { type: 'leave'; req: number; key: Key; room: RoomId }
  | { type: 'add'; req: number; key: Key; room: RoomId; user: UserId }
  | { type: 'remove'; req: number; key: Key; room: RoomId; user: UserId }
  | { type: 'mark'; req: number; room: RoomId; delivered?: Seq; read?: Seq }
  | { type: 'after'; req: number; room: RoomId; seq: Seq; key?: Key; limit?: number }
  | { type: 'history'; req: number; room: RoomId; before?: Seq; at_least?: Seq; limit?: number }
  | { type: 'room'; req: number; room: RoomId }
  | { type: 'members'; req: number; room: RoomId; after?: UserId }
  | { type: 'profiles'; req: number; users?: Array<UserId>; name?: string }
  | { type: 'directory'; req: number; after?: RoomId }
  | { type: 'ping'; req: number; rooms?: Array<RoomId> };

export type Me = { state: MemberState; role: Role; since: Seq; delivered: Seq; read: Seq; unread: number };
export type RoomRow = {
  room: RoomId; kind: RoomKind; name?: string; peer?: UserId; history: HistoryFrom;
  head: Seq; msg_no: number; floor: Seq; members: number; me: Me;
};
export type Profile = { id: UserId; name: string; version: number };
export type DirectoryRow = { room: RoomId; name: string; members: number };
export type PublicLimits = {
  text_bytes: number; frame_bytes: number; in_flight: number; open_rooms: number;
  rate_per_second: number; rate_burst: number;
};
export type Skip = { room: RoomId; from: Seq; to: Seq; why: SkipWhy };
export type Item = ({ type: 'event' } & Event) | ({ type: 'skip' } & Skip);
export type Reset = { req?: number; why: ResetWhy; row: RoomRow; page: Array<Folded>; redacted: Array<Seq> };

export type ServerFrame =
  | {
      type: 'welcome'; v: number; epoch: Epoch; user: Profile; session?: SessionId;
      features: Array<string>; limits: PublicLimits; now: Millis;
    }
  | { type: 'summary'; rooms: Array<RoomRow>; new: number; all: boolean; reset?: ResetWhy; more: boolean }
  | ({ type: 'event' } & Event)
  | ({ type: 'skip' } & Skip)
  | { type: 'events'; req?: number; room: RoomId; from: Seq; to: Seq; head: Seq; items: Array<Item> }
  | ({ type: 'reset' } & Reset)
  | {
      type: 'page'; req: number; room: RoomId; as_of: Seq; messages: Array<Folded>; skips: Array<Skip>;
      before?: Seq;
    }
  | { type: 'caught_up'; position: Position }
  | { type: 'ack'; req: number; room: RoomId; seq: Seq; msg_no: number; ts: Millis }
  | { type: 'ok'; req: number }
  | {
      type: 'error'; req?: number; code: ErrorCode; message: string; field?: string; retryable: boolean;
      retry_after_ms?: number;
    }
  | { type: 'behind' }
  | { type: 'marker'; room: RoomId; delivered: Seq; read: Seq; unread: number }
  | { type: 'token_expiring'; in_ms: number }
  | { type: 'reconnect'; after_ms: number; spread_ms: number }
  | { type: 'pong'; req: number; now: Millis; position?: Position; heads: Array<[RoomId, Seq]> }
  | { type: 'room'; req: number; row: RoomRow }
  | { type: 'members'; req: number; room: RoomId; members: Array<[UserId, Role]>; more: boolean }
  | { type: 'profiles'; req: number; users: Array<Profile> }
  | { type: 'directory'; req: number; rooms: Array<DirectoryRow>; more: boolean };
