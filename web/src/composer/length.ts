// How long a message may be. Pure.

/** Bytes of UTF-8 that the server takes (docs/protocol.md, limits). */
export const textBytesMax = 16 * 1024;

const encoder = new TextEncoder();

/** How many characters at the end do not fit any more. */
export function excess(text: string, bytesMax = textBytesMax): number {
  // No UTF-16 unit becomes more than three bytes: short texts need no counting.
  if (text.length * 3 <= bytesMax) return 0;
  let bytes = 0;
  let over = 0;
  for (const character of text) {
    bytes += encoder.encode(character).length;
    if (bytes > bytesMax) over += 1;
  }
  return over;
}
