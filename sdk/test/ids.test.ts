import { expect, test } from 'vitest';

import { newKey, randomId } from '../src/ids.js';

test('ids are a prefix and 26 characters whose spare bits are zero', () => {
  expect(randomId('d_', () => 0)).toBe('d_' + 'a'.repeat(26));
  // 16 bytes of ones: 25 characters of ones, then three ones and two zeros.
  expect(randomId('d_', () => 1 - Number.EPSILON / 2)).toBe('d_' + '7'.repeat(25) + '4');
});

test('keys are UUIDv7: time first, version and variant in place', () => {
  const now = 0x0123456789ab;
  const key = newKey(now, () => 0);
  const bits = [...key.slice(2)].map((c) => 'abcdefghijklmnopqrstuvwxyz234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  expect(parseInt(bits.slice(0, 48), 2)).toBe(now);
  expect(bits.slice(48, 52)).toBe('0111');
  expect(bits.slice(64, 66)).toBe('10');
  expect(bits).toHaveLength(130);
});
