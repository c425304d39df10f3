import { expect, test } from 'vitest';

import { hueOf, initials, roomLetters } from '../src/ui/letters';
import { dayLabel, shortLabel } from '../src/ui/times';
import { t } from '../src/words';

test('one is not many', () => {
  expect([t.people(1), t.people(24)]).toEqual(['1 person', '24 people']);
  expect([t.newMessages(1), t.newMessages(3)]).toEqual(['1 new message', '3 new messages']);
  expect([t.back(1), t.back(3)]).toEqual(['Back. 1 message went out.', 'Back. 3 messages went out.']);
  expect(t.youAreOffline(1)).toBe('You are offline. 1 message waits on this device and goes out by itself.');
  expect(t.tooLong(312)).toBe('312 characters too many.');
});

test('unread ends at 999', () => {
  expect([t.unread(999), t.unread(1000)]).toEqual(['999', '999+']);
});

test('no sentence shouts or blames', () => {
  const said: string[] = [];
  const walk = (value: unknown): void => {
    if (typeof value === 'string') said.push(value);
    else if (typeof value === 'object' && value) Object.values(value).forEach(walk);
  };
  walk(t);
  expect(said.length).toBeGreaterThan(80);
  expect(said.filter((text) => /!|oops|invalid|error|illegal/i.test(text))).toEqual([]);
});

test('letters of a face', () => {
  expect(['Tomás Oyelaran', 'Bram de Wit', '李文 Wen Li', 'ann', '  ', 'é́x y'].map(initials)).toEqual(['TO', 'BW', '李', 'A', '', 'É́Y']);
  expect(['engine room', '公告', 'x'].map(roomLetters)).toEqual(['En', '公', 'X']);
});

test('colours are spread and stay', () => {
  const ids = Array.from({ length: 600 }, (_, index) => `u_${(index * 7919).toString(36)}`);
  const counts = new Map<number, number>();
  for (const id of ids) counts.set(hueOf(id), (counts.get(hueOf(id)) ?? 0) + 1);
  expect(counts.size).toBe(12);
  expect(Math.max(...counts.values())).toBeLessThan(90);
  expect(hueOf('u_ann')).toBe(hueOf('u_ann'));
});

test('days and list labels', () => {
  const now = new Date(2026, 9, 14, 9, 0).getTime();
  const on = (day: number, hour = 8) => new Date(2026, 9, day, hour, 58).getTime();
  expect(shortLabel(on(14), now)).toBe('08:58');
  expect(shortLabel(on(13, 23), now)).toBe('Tue');
  expect(shortLabel(on(7), now)).toMatch(/Oct/);
  expect(dayLabel(on(14), now)).toMatch(/Wednesday.*14.*October|Wednesday.*October.*14/);
});

test('who is typing is said in words, whoever is named', () => {
  const said = (names: string[], more = 0) => t.typing(names, more).map(({ text }) => text).join('');
  expect(said(['Ann'])).toBe('Ann is typing…');
  expect(said(['Ann', 'Ben'])).toBe('Ann and Ben are typing…');
  expect(said(['Ann', 'Ben', 'Cal'], 2)).toBe('Ann, Ben, Cal and 2 more are typing…');
  expect(said([], 1)).toBe('1 person is typing…');
});
