import { expect, test } from 'vitest';

import type { Entry, Message } from '../src/model';
import { firstUnread, rowsOf, type Fresh } from '../src/timeline/rows';

const minute = 60_000;
/** A local noon, so that no time zone splits a test. */
const noon = new Date(2026, 9, 14, 12, 0).getTime();

function say(seq: number, from: string, atMinute: number, part: Partial<Message> = {}): Message {
  return { kind: 'message', key: `k${seq}`, seq, from, ts: noon + atMinute * minute, text: 'x', sending: 'sent', edited: false, removed: false, mentions: [], reactions: [], changing: false, ...part };
}

/** Rows as text: `day`, `new 2`, `.` a notice, and messages as author + `(` first + `)` last. */
function drawn(entries: Entry[], fresh?: Fresh): string {
  return rowsOf(entries, 'me', fresh)
    .map((row) => {
      switch (row.kind) {
        case 'day':
          return 'day';
        case 'new':
          return `new ${row.count}`;
        case 'notice':
          return '.';
        case 'message':
          return `${row.first ? '(' : ''}${row.entry.from}${row.last ? ')' : ''}`;
      }
    })
    .join(' ');
}

test('a group is one author, under five minutes, on one day', () => {
  expect(drawn([say(1, 'ann', 0), say(2, 'ann', 4), say(3, 'ann', 9), say(4, 'bob', 9)])).toBe('day (ann ann) (ann) (bob)');
});

test('midnight begins a day and ends a group', () => {
  const before = 12 * 60 - 1;
  expect(drawn([say(1, 'ann', before), say(2, 'ann', before + 2)])).toBe('day (ann) day (ann)');
});

test('a notice stands between groups', () => {
  const joined: Entry = { kind: 'member', key: 'k2', seq: 2, from: 'bob', user: 'bob', state: 'joined', ts: noon + minute };
  expect(drawn([say(1, 'ann', 0), joined, say(3, 'ann', 2)])).toBe('day (ann) . (ann)');
});

test('the line of new messages breaks a group and counts the words of others', () => {
  const entries = [say(1, 'ann', 0), say(2, 'ann', 1), say(3, 'me', 1), say(4, 'ann', 2, { removed: true })];
  expect(drawn(entries, { from: 2, to: 4 })).toBe('day (ann) new 1 (ann) (me) (ann)');
});

test('what comes later is not counted as new at the opening', () => {
  const entries = [say(1, 'ann', 0), say(2, 'ann', 1), say(3, 'ann', 2)];
  expect(drawn(entries, { from: 2, to: 2 })).toContain('new 1');
});

test('no line above nothing', () => {
  expect(drawn([say(1, 'me', 0)], { from: 1, to: 1 })).toBe('day (me)');
  expect(drawn([])).toBe('');
});

test('one’s own unsent words follow what is numbered and keep their key', () => {
  const waiting = say(9, 'me', 1, { seq: undefined, sending: 'queued' });
  const rows = rowsOf([say(1, 'me', 0), waiting], 'me');
  expect(rows.at(-1)).toMatchObject({ kind: 'message', key: 'k9', first: false, last: true });
});

test('the first unread is another’s, after the marker, with words', () => {
  const entries = [say(1, 'ann', 0), say(2, 'me', 1), say(3, 'ann', 2, { removed: true }), say(4, 'ann', 3)];
  expect(firstUnread(entries, 1, 'me')).toBe(4);
  expect(firstUnread(entries, 4, 'me')).toBeUndefined();
});
