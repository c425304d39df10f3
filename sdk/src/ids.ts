/** Ids that a client makes: 16 bytes, as a prefix and 26 characters (docs/protocol.md, section 2). */

import type { Random } from './env.js';

/** A digit from `0-9a-v` as one of `a-z2-7`. */
function letter(digit: string): string {
  const value = parseInt(digit, 32);
  return (value < 26 ? value + 10 : value - 24).toString(36);
}

/** The two spare bits of the last character are zero, so that each id has one text. */
function text(prefix: string, bits: bigint): string {
  const digits = (bits << 2n).toString(32).padStart(26, '0');
  return prefix + digits.replace(/./g, letter);
}

/** 128 random bits. */
const chance = (random: Random) =>
  [1, 2, 3, 4].reduce((bits) => (bits << 32n) | BigInt(Math.floor(random() * 2 ** 32)), 0n);

/** An id of random bits. */
export function randomId(prefix: string, random: Random): string {
  return text(prefix, chance(random));
}

/** An idempotency key: UUIDv7 (RFC 9562), so that keys made later sort later in the server's index. */
export function newKey(now: number, random: Random): string {
  const time = BigInt(now) << 80n;
  const version = 7n << 76n;
  const variant = 2n << 62n;
  return text('k_', time | version | variant | ((chance(random) % 2n ** 76n) & ~(3n << 62n)));
}

/** Chance that does not repeat between devices. */
export const cryptoRandom: Random = () => crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32;
