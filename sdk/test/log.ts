/** What the fake server makes of a room's log: head, row, folded lines, and the event behind a command. Pure. */

import type { Body, ClientFrame, Event, Folded, MemberState, Role, RoomKind, RoomRow, Skip } from '../src/wire.js';

interface Member { role: Role; since: number; state: MemberState; delivered: number; read: number; muted?: boolean }
export interface Room {
  id: string; kind: RoomKind; name?: string; topic?: string; pins: number[]; events: Array<Event | Skip>; members: Map<string, Member>; changed: number;
}
type Of<T extends ClientFrame['type']> = Extract<ClientFrame, { type: T }>;
/** Commands about messages and people. */
export type About = Of<'edit' | 'redact' | 'react' | 'pin' | 'configure' | 'ban' | 'role' | 'mute'>;

export function headOf(room: Room): number {
  const last = room.events.at(-1);
  return last ? ('to' in last ? last.to : last.seq) : 0;
}

export function rowOf(room: Room, user: string): RoomRow {
  const me = room.members.get(user)!;
  const { state, role, since, delivered, read, muted } = me;
  const messages = room.events.filter((one): one is Event & { kind: 'message' } => 'kind' in one && one.kind === 'message');
  const unread = messages.filter((one) => one.from[0] !== user && one.seq > Math.max(read, since) && one.body.text !== '');
  const called = unread.filter((one) => one.mentions?.some((whom) => whom === user || whom === 'room')).length;
  return {
    room: room.id, kind: room.kind, ...(room.name && { name: room.name }), history: 'beginning', head: headOf(room),
    msg_no: messages.length, floor: 1, members: [...room.members.values()].filter((one) => one.state === 'joined').length,
    ...(room.topic && { topic: room.topic }), ...(room.pins.length && { pins: [...room.pins] }),
    me: {
      state, role, since, delivered, read, unread: Math.min(unread.length, 1000),
      ...(called && { mentions: called }), ...(muted && { muted }),
    },
  };
}

export function folded(room: Room, before: number, limit: number): Folded[] {
  return room.events
    .filter((one): one is Event => 'kind' in one && one.seq < before && !one.target)
    .slice(-limit)
    .map((one) => {
      const about = room.events.filter((other): other is Event => 'kind' in other && other.target === one.seq);
      const redacted = about.find((other) => other.kind === 'redact')?.seq;
      if (redacted) return { ...one, redacted } as Folded;
      const edit = about.filter((other) => other.kind === 'edit').at(-1);
      const states = new Map(about.flatMap((other) =>
        other.kind === 'reaction' ? [[`${other.body.emoji} ${other.from[0]}`, other.body.on] as const] : []));
      const reactions = [...states].filter(([, on]) => on).map(([slot]) => slot.split(' ') as [string, string]).sort();
      return { ...one, ...(edit && { body: edit.body, edited: edit.seq }), ...(reactions.length && { reactions }) } as Folded;
    });
}

/** The event that a command makes. */
export function bodyOf(frame: About, room: Room): Body {
  switch (frame.type) {
    case 'edit':
      return { kind: 'edit', body: { text: frame.text! } };
    case 'redact':
      return { kind: 'redact', body: {} };
    case 'react':
      return { kind: 'reaction', body: { emoji: frame.emoji, on: frame.on } };
    case 'pin':
      return { kind: 'pin', body: { on: frame.on } };
    case 'configure': {
      const { name, topic } = frame;
      return { kind: 'settings', body: { ...(name && { name }), ...(topic !== undefined && { topic }) } };
    }
    case 'ban': {
      const members = [...room.members.values()].filter((one) => one.state === 'joined').length;
      return { kind: 'member', body: { user: frame.user, state: frame.on ? 'banned' : 'left', role: 'member', members: members - Number(frame.on) } };
    }
    case 'role':
      return { kind: 'role', body: { user: frame.user, role: frame.role, muted: room.members.get(frame.user)?.muted ?? false } };
    case 'mute':
      return { kind: 'role', body: { user: frame.user, role: room.members.get(frame.user)!.role, muted: frame.on } };
  }
}
