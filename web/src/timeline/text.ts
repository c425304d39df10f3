// Splits a text into words and links, without changing a byte of it. Pure.
//
// Only http and https become links: everything else stays words, whatever it looks like.

/** A piece of a text; with `href`, a link. */
export interface Piece {
  text: string;
  href?: string;
}

const link = /https?:\/\/[^\s<>"'`\u0000-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/giu;
/** Punctuation that ends a sentence rather than an address. */
const trailing = /[.,;:!?…'"]+$/u;
/** More links than this in one message are words. */
const linksMax = 50;

/** The pieces of `text`; joined, they are `text` again. */
export function pieces(text: string): Piece[] {
  const result: Piece[] = [];
  let done = 0;
  let links = 0;
  for (const match of text.matchAll(link)) {
    const address = balanced(match[0].replace(trailing, ''));
    if (!isWeb(address) || links >= linksMax) continue;
    if (match.index > done) result.push({ text: text.slice(done, match.index) });
    result.push({ text: address, href: address });
    done = match.index + address.length;
    links += 1;
  }
  if (done < text.length || result.length === 0) result.push({ text: text.slice(done) });
  return result;
}

/** Without a closing bracket that was opened before the address. */
function balanced(address: string): string {
  if (!address.endsWith(')')) return address;
  const opened = address.split('(').length;
  const closed = address.split(')').length;
  return closed > opened ? address.slice(0, -1) : address;
}

function isWeb(address: string): boolean {
  try {
    const { protocol, hostname } = new URL(address);
    return (protocol === 'http:' || protocol === 'https:') && hostname !== '';
  } catch {
    return false;
  }
}
