import { expect, test } from 'vitest';

import type { Entry } from '../src/model';
import { distance, follows, wayDown } from '../src/timeline/sill';

const entries: Entry[] = [1, 2, 3].map((seq) => ({
  kind: 'message', key: `k${seq}`, seq, from: seq === 2 ? 'me' : 'ann', ts: 0, text: 'x', sending: 'sent', edited: false, removed: false, mentions: [], reactions: [], changing: false,
}));

test('within 200 px of the end new messages are followed', () => {
  expect(distance({ top: 0, height: 500, full: 400 })).toBe(0);
  expect(follows({ top: 300, height: 500, full: 1000 })).toBe(true);
  expect(follows({ top: 299, height: 500, full: 1000 })).toBe(false);
});

test('the sill counts what others wrote after the last seen', () => {
  expect(wayDown(true, entries, 0, 'me')).toEqual({ kind: 'none' });
  expect(wayDown(false, entries, 1, 'me')).toEqual({ kind: 'new', count: 1 });
  expect(wayDown(false, entries, 3, 'me')).toEqual({ kind: 'newest' });
});
