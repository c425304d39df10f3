// Splits a text into words and links, without changing a byte of it. Pure.
//
// Only http and https become links: everything else stays words, whatever it looks like.

/** A piece of a text; with `href`, a link. */
export interface Piece {
  text: string;
  href?: string;
  /** It calls on somebody. */
  at?: boolean;
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

/** Whether what stands at `end` does not go on with the word before it. */
const ends = (text: string, end: number) => !/[\p{L}\p{N}_]/u.test(text.charAt(end));

/** Where `@name` stands in a text as a word of its own, from `from` on; nowhere: -1. */
export function mentionAt(text: string, name: string, from = 0): number {
  for (let at = text.indexOf(`@${name}`, from); at >= 0; at = text.indexOf(`@${name}`, at + 1)) {
    if (ends(text, at + name.length + 1)) return at;
  }
  return -1;
}

/** The same pieces, with `@name` apart for each of `names`. */
export function marked(pieces: Piece[], names: readonly string[]): Piece[] {
  return names.filter(Boolean).reduce((parts, name) => parts.flatMap((piece) => split(piece, name)), pieces);
}

function split(piece: Piece, name: string): Piece[] {
  if (piece.href || piece.at) return [piece];
  const result: Piece[] = [];
  let done = 0;
  for (let at = mentionAt(piece.text, name); at >= 0; at = mentionAt(piece.text, name, done)) {
    if (at > done) result.push({ text: piece.text.slice(done, at) });
    done = at + name.length + 1;
    result.push({ text: piece.text.slice(at, done), at: true });
  }
  if (done < piece.text.length || !result.length) result.push({ text: piece.text.slice(done) });
  return result;
}
