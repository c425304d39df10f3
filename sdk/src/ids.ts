/** Ids that a client makes: 16 bytes, as a prefix and 26 characters (docs/protocol.md, section 2). */

import type { Random } from './env.js';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

function text(prefix: string, bytes: number[]): string {
  let out = prefix;
  let rest = 0;
  let bits = 0;
  for (const byte of bytes) {
    rest = (rest << 8) | byte;
    bits += 8;
    for (; bits >= 5; bits -= 5) out += ALPHABET[(rest >> (bits - 5)) & 31];
    rest &= (1 << bits) - 1;
  }
  // Three bits are left over; the two spare ones are zero, so that each id has one text.
  return out + ALPHABET[(rest << (5 - bits)) & 31];
}

const chance = (random: Random) => Math.floor(random() * 256);

/** An id of random bytes. */
export function randomId(prefix: string, random: Random): string {
  return text(prefix, Array.from({ length: 16 }, () => chance(random)));
}

/** An idempotency key: UUIDv7 (RFC 9562), so that keys made later sort later in the server's index. */
export function newKey(now: number, random: Random): string {
  const bytes = Array.from({ length: 16 }, (_, at) =>
    at < 6 ? Math.floor(now / 2 ** (8 * (5 - at))) % 256 : chance(random),
  );
  bytes[6] = 0x70 | (bytes[6]! & 15);
  bytes[8] = 0x80 | (bytes[8]! & 63);
  return text('k_', bytes);
}

/** Chance that does not repeat between devices. */
export const cryptoRandom: Random = () => crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32;
