// The people and rooms of the design board, for looking at the screens.
import type { Message, Profile } from '@chinwag/client';

import { line, type FakeWorld } from '../fake';

const person = (id: string, name: string): Profile => ({ id: `u_${id}`, name, version: 1 });
const aoife = person('aoife', 'Aoife Byrne');
const people = {
  tomas: person('tomas', 'Tomás Oyelaran'),
  ines: person('ines', 'Ines Duarte'),
  kofi: person('kofi', 'Kofi Mensah'),
  priya: person('priya', 'Priya Raman'),
  jun: person('jun', 'Jun Watanabe'),
  samir: person('samir', 'Samir Haddad'),
  lena: person('lena', 'Lena Vogt'),
  wen: person('wen', '李文 Wen Li'),
  noor: person('noor', 'نور الدين'),
};

const today = new Date();
const at = (hour: number, minute: number, daysAgo = 0): number =>
  new Date(today.getFullYear(), today.getMonth(), today.getDate() - daysAgo, hour, minute).getTime();

let seq = 0;
function say(room: string, who: Profile, ts: number, text: string, more: Partial<Message> = {}): Message {
  seq += 1;
  return line({ room, key: `k${seq}`, seq, from: who.id, own: who.id === aoife.id, ts, text, ...more });
}

function member(room: string, by: Profile, user: Profile, ts: number): Message {
  seq += 1;
  const body = { user: user.id, state: 'joined', role: 'member' };
  return line({ room, key: `k${seq}`, seq, kind: 'member', from: by.id, ts, event: { kind: 'member', body } as never });
}

function crossings(): Message[] {
  const room = 'r_crossings';
  seq = 40;
  return [
    say(room, people.lena, at(16, 20, 1), 'Board 2 is dry again. I left the tape in the locker by the slipway.'),
    say(room, aoife, at(16, 31, 1), 'Thank you. I need it tomorrow for the winter sheet.'),
    member(room, people.priya, people.jun, at(8, 30)),
    say(room, people.tomas, at(8, 42), 'Morning all. Wind is up to 28 knots by noon, so the 12:40 to Skerry is doubtful. I will call it at 11:30 and post it here first.'),
    say(room, people.tomas, at(8, 43), 'If you are on the north pier, read the gauge before you come over.'),
    say(room, people.ines, at(8, 47), 'knots = 22.4\n gust = 31.0'),
    say(room, aoife, at(8, 49), 'Gusts of 31 are over our limit anyway. Let us plan as if it is off.', { edited: true }),
    say(room, people.kofi, at(8, 51), 'Boards are up on both piers.'),
    say(room, people.kofi, at(8, 52), '', { redacted: true }),
    say(room, people.noor, at(8, 53), 'صباح الخير، العبّارة متأخرة نصف ساعة.'),
    say(room, people.priya, at(8, 55), 'Here is the sheet for the boards. The page is at https://saltmarsh.example/winter.'),
    say(room, aoife, at(8, 56), 'Printing it now.'),
    say(room, aoife, at(8, 57), 'Board 3 has no frame, I will tape it.'),
  ];
}

/** What is shown. `waiting`: own words that have not gone out. */
export function world(waiting: 'none' | 'pending' | 'failed'): FakeWorld {
  const lines = crossings();
  const own = { from: aoife.id, own: true, room: 'r_crossings', ts: at(8, 58) };
  if (waiting !== 'none') lines.push(line({ ...own, key: 'w1', text: 'And the café wants one too.', status: waiting === 'failed' ? 'failed' : 'pending' }));
  if (waiting === 'pending') lines.push(line({ ...own, key: 'w2', text: 'If not, I have tape.', status: 'pending' }));
  const all = [aoife, ...Object.values(people)].map(({ id }) => id);
  const one = (id: string, who: Profile, ts: number, text: string): Message[] => [say(id, who, ts, text)];
  return {
    me: aoife,
    people: Object.values(people),
    rooms: [
      { id: 'r_crossings', kind: 'public', name: 'Crossings', members: all, lines, read: 50, unread: 1 },
      { id: 'r_engine', kind: 'group', name: 'Engine room', members: all.slice(0, 5), unread: 3, lines: one('r_engine', people.priya, at(8, 56), 'Could you check the bilge pump log?') },
      { id: 'r_desk', kind: 'public', name: 'Harbour desk', members: all, unread: 12, lines: one('r_desk', people.samir, at(8, 51), 'Lost a red umbrella, pier 2') },
      { id: 'r_jun', kind: 'direct', peer: people.jun.id, members: [aoife.id, people.jun.id], lines: one('r_jun', people.jun, at(8, 31), 'Thanks! Found the locker.') },
      { id: 'r_rota', kind: 'public', name: 'Rota', members: all, lines: one('r_rota', people.lena, at(8, 12), 'Swapped Thursday with Kofi') },
      { id: 'r_kofi', kind: 'direct', peer: people.kofi.id, members: [aoife.id, people.kofi.id], lines: one('r_kofi', aoife, at(7, 54), 'On my way.') },
      { id: 'r_lantern', kind: 'public', name: 'Lantern festival', members: [aoife.id], lines: [line({ key: 'f1', seq: 1, kind: 'room', from: aoife.id, room: 'r_lantern', ts: at(9, 0, 1) })] },
      { id: 'r_wen', kind: 'direct', peer: people.wen.id, members: [aoife.id, people.wen.id], lines: one('r_wen', people.wen, at(19, 2, 2), '好的，明天码头见。') },
      { id: 'r_notices', kind: 'group', name: 'Notices', members: all, unread: 1000, lines: one('r_notices', people.lena, at(9, 0, 3), 'Winter fares from 1 November') },
      { id: 'r_samir', kind: 'direct', peer: people.samir.id, members: [aoife.id, people.samir.id], lines: one('r_samir', people.samir, at(9, 0, 4), 'The umbrella was mine…') },
    ],
    directory: [
      { room: 'r_crossings', name: 'Crossings', members: 24 },
      { room: 'r_desk', name: 'Harbour desk', members: 31 },
      { room: 'r_tides', name: 'Tides and weather', members: 12 },
      { room: 'r_kitchen', name: 'Kitchen table', members: 7 },
    ],
  };
}
