/**
 * The part of CBOR (RFC 8949) that the protocol uses: whole numbers, bytes, texts, arrays, booleans, null, all of
 * definite length.
 */

export type Plain = number | string | boolean | null | Uint8Array | Plain[];

const UTF8 = new TextDecoder('utf-8', { fatal: true });
/** Values of one byte, at the places of their bytes. */
const SIMPLE: Record<number, Plain> = { 0xf4: false, 0xf5: true, 0xf6: null };

export function write(value: Plain): Uint8Array {
  const bytes: number[] = [];
  const head = (major: number, number: number) => {
    const length = number < 24 ? 0 : number < 0x100 ? 1 : number < 0x1_0000 ? 2 : number < 0x1_0000_0000 ? 4 : 8;
    bytes.push((major << 5) | (length ? 24 + Math.log2(length) : number));
    // Divided, since shifts know 32 bits only.
    for (let at = length; at--; ) bytes.push(Math.floor(number / 2 ** (8 * at)) & 255);
  };
  const put = (value: Plain): void => {
    if (typeof value === 'number') value < 0 ? head(1, -1 - value) : head(0, value);
    else if (typeof value === 'boolean') bytes.push(value ? 0xf5 : 0xf4);
    else if (value === null) bytes.push(0xf6);
    else if (Array.isArray(value)) {
      head(4, value.length);
      value.forEach(put);
    } else {
      const raw = typeof value === 'string' ? new TextEncoder().encode(value) : value;
      head(raw === value ? 2 : 3, raw.length);
      for (const byte of raw) bytes.push(byte);
    }
  };
  put(value);
  return Uint8Array.from(bytes);
}

/** Throws for anything but one whole value. */
export function read(bytes: Uint8Array): Plain {
  let at = 0;
  const take = (length: number) => {
    const taken = bytes.subarray(at, (at += length));
    if (taken.length < length) throw new RangeError('CBOR ends early');
    return taken;
  };
  const item = (): Plain => {
    const first = take(1)[0]!;
    const simple = SIMPLE[first];
    if (simple !== undefined) return simple;
    const major = first >> 5;
    const short = first & 31;
    if (major > 4 || short > 27) throw new TypeError(`CBOR of kind ${first}`);
    const number = short < 24 ? short : take(1 << (short - 24)).reduce((number, byte) => number * 256 + byte, 0);
    if (major === 0) return number;
    if (major === 1) return -1 - number;
    if (major === 4) {
      const items: Plain[] = [];
      // Each takes a byte at least: what is announced costs nothing by itself.
      while (items.length < number) items.push(item());
      return items;
    }
    const raw = take(number);
    return major === 3 ? UTF8.decode(raw) : raw;
  };
  const value = item();
  if (at < bytes.length) throw new RangeError('something follows the CBOR');
  return value;
}
