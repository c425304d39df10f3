import { expect, test } from 'vitest';

import { isHidden } from '../src/hidden.js';
import type { Message, RoomInfo } from '../src/types.js';

const info = (seqs: number[], more?: boolean) => ({ hidden: { seqs, version: 1, more } }) as unknown as RoomInfo;
const message = (seq?: number, hidden?: boolean) => ({ seq, hidden }) as Message;

test.each([
  ['nothing was ever hidden', {} as RoomInfo, message(4), false],
  ['it is on the list', info([3, 4]), message(4), true],
  ['it is not', info([3, 4]), message(5), false],
  ['a page said so before it was shown again', info([3]), message(4, true), false],
  ['older than the list reaches, by its page', info([30, 40], true), message(4, true), true],
  ['older than the list reaches, and shown', info([30, 40], true), message(4), false],
  ['within the list, whatever its page said', info([30, 40], true), message(35, true), false],
  ['one that no server has numbered', info([3, 4]), message(), false],
])('%s', (_story, room, one, expected) => {
  expect(isHidden(room, one)).toBe(expected);
});
