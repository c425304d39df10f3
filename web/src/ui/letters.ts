// What stands in a face and a tile, and which colour a person has. Pure.

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** The first letter as people see it, which may be several code points. */
function firstLetter(word: string): string {
  for (const { segment } of segmenter.segment(word)) return segment;
  return '';
}

/** Scripts in which one sign is a word. */
const signs = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

/** At most two letters for a person: of the first and the last word. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const first = words[0] ?? '';
  if (signs.test(first) || words.length < 2) {
    return firstLetter(first).toLocaleUpperCase();
  }
  return (firstLetter(first) + firstLetter(words.at(-1) ?? '')).toLocaleUpperCase();
}

/** Two letters for a room: the beginning of its name. */
export function roomLetters(name: string): string {
  const letters = [...segmenter.segment(name.trim())].map(({ segment }) => segment);
  const first = letters[0] ?? '';
  if (signs.test(first)) return first;
  return first.toLocaleUpperCase() + (letters[1] ?? '').trim();
}

/** One of twelve steps around the colour wheel, the same everywhere for the same id. */
export function hueOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < id.length; index += 1) {
    hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193);
  }
  // The low bits of this hash follow the last letter alone: mix before taking the rest.
  hash ^= hash >>> 15;
  return (hash >>> 0) % 12;
}
