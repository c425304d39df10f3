import { expect, test } from 'vitest';

import { mentionsIn } from '../src/composer/mention';
import { offers, typedName } from '../src/composer/offer';
import type { RoomRow } from '../src/model';

const people = [{ id: 'u_1', name: 'Ann' }, { id: 'u_2', name: 'Anna Lee' }, { id: 'u_3', name: '\u5f20\u4f1f' }];
const room = (part: Partial<RoomRow> = {}) => ({ kind: 'group', role: 'member', members: 3, ...part }) as RoomRow;

test('a name begins after a space or at the start, and ends at the caret', () => {
  expect(typedName('@An', 3)).toEqual({ from: 0, start: 'An' });
  expect(typedName('hi @', 4)).toEqual({ from: 3, start: '' });
  expect(typedName('mail@an', 7)).toBeUndefined();
  expect(typedName('@An and', 7)).toBeUndefined();
});

test('offers people of the room, without oneself, and the room where one may call on it', () => {
  const names = (start: string, part?: Partial<RoomRow>) => offers(start, people, room(part), 'u_1').map(({ name }) => name);
  expect(names('')).toEqual(['Anna Lee', '\u5f20\u4f1f', 'room']);
  expect(names('an')).toEqual(['Anna Lee']);
  expect(names('\u5f20\u4f1f')).toEqual([]);
  expect(names('ro', { kind: 'public' })).toEqual([]);
  expect(names('ro', { kind: 'public', role: 'admin' })).toEqual(['room']);
  expect(names('ro', { kind: 'direct', members: 2 })).toEqual([]);
});

test('a text calls on whom it names as a word of its own', () => {
  expect(mentionsIn('@Ann, @room and @\u5f20\u4f1f', people, room())).toEqual(['room', 'u_1', 'u_3']);
  expect(mentionsIn('@Anna', people, room())).toEqual([]);
  expect(mentionsIn('@Anna Lee', people, room())).toEqual(['u_2']);
  expect(mentionsIn('@room', people, room({ kind: 'public' }))).toEqual([]);
});
