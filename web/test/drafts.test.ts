import { expect, test } from 'vitest';

import { excess } from '../src/composer/length';
import { Drafts, type Keeper } from '../src/composer/drafts';

function keeper(): Keeper {
  const held = new Map<string, string>();
  return {
    get length() {
      return held.size;
    },
    key: (index) => [...held.keys()][index] ?? null,
    getItem: (key) => held.get(key) ?? null,
    setItem: (key, value) => void held.set(key, value),
    removeItem: (key) => void held.delete(key),
  };
}

test('a draft outlives the page, by user and room', () => {
  const device = keeper();
  new Drafts(device, 'ann').keep('r_1', ' half a \n word');
  new Drafts(device, 'bob').keep('r_1', 'another');
  expect(new Drafts(device, 'ann').of('r_1')).toBe(' half a \n word');
  expect(new Drafts(device, 'ann').of('r_2')).toBe('');
});

test('an empty draft is none', () => {
  const device = keeper();
  const drafts = new Drafts(device, 'ann');
  drafts.keep('r_1', 'x');
  drafts.keep('r_1', '');
  expect(drafts.all.value.size).toBe(0);
  expect(device.length).toBe(0);
});

test('signing out erases one’s own drafts alone', () => {
  const device = keeper();
  new Drafts(device, 'bob').keep('r_1', 'his');
  const drafts = new Drafts(device, 'ann');
  drafts.keep('r_1', 'hers');
  drafts.erase();
  expect(new Drafts(device, 'ann').all.value.size).toBe(0);
  expect(new Drafts(device, 'bob').of('r_1')).toBe('his');
});

test('a full device keeps the draft for as long as the page lives', () => {
  const full: Keeper = { ...keeper(), length: 0, setItem: () => { throw new DOMException('full', 'QuotaExceededError'); } };
  const drafts = new Drafts(full, 'ann');
  drafts.keep('r_1', 'x');
  expect(drafts.of('r_1')).toBe('x');
});

test('what does not fit is counted in characters', () => {
  expect(excess('a'.repeat(16_384))).toBe(0);
  expect(excess('a'.repeat(16_385))).toBe(1);
  expect(excess('é'.repeat(8_192))).toBe(0);
  expect(excess('👩'.repeat(4_098))).toBe(2);
});
