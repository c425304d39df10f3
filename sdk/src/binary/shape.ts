/**
 * How the values of JSON frames stand in the binary form (docs/protocol.md, section 16), both ways. A shape knows
 * one place of a frame; the tables are made of them.
 */

import type { Plain } from './cbor.js';

/** `whole`: the object that the value is a field of, as far as it is known. */
export interface Shape {
  out(value: unknown, whole: Fields): Plain;
  in(plain: Plain, whole: Fields): unknown;
  /** What an absent one stands for, where JSON must have something. */
  absent?: unknown;
  /** What is written where JSON has nothing. */
  given?: unknown;
  /** Whether false, null and an empty list say something: that it is so, not that nothing was said. */
  said?: boolean;
}

export type Fields = Record<string, unknown>;

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** Numbers, texts, and what nobody knows yet: as it is. */
export const same: Shape = { out: (value) => value as Plain, in: (plain) => plain };

/** `true` or `false`; false need not be said. */
export const flag: Shape = { ...same, absent: false };

/** A number that JSON leaves out at 0. */
export const count: Shape = { out: (value) => (value ?? 0) as Plain, in: (plain) => plain || undefined, given: 0 };

/** 16 bytes; in JSON a prefix and base32 (RFC 4648, lower case, no padding). */
export const id = (prefix: string): Shape => ({
  out(value) {
    const bytes = new Uint8Array(16);
    let bits = 0;
    let count = 0;
    let at = 0;
    for (const letter of (value as string).slice(prefix.length)) {
      bits = ((bits & 255) << 5) | ALPHABET.indexOf(letter);
      count += 5;
      if (count >= 8) bytes[at++] = bits >> (count -= 8);
    }
    return bytes;
  },
  in(plain) {
    let text = prefix;
    let bits = 0;
    let count = 0;
    // The last group is filled up with zeros.
    for (const byte of [...(plain as Uint8Array), 0]) {
      bits = ((bits & 31) << 8) | byte;
      for (count += 8; count >= 5 && text.length < prefix.length + 26; ) text += ALPHABET[(bits >> (count -= 5)) & 31];
    }
    return text;
  },
});

/** A word by its place. A newer one than we know stays recognisable as unknown. */
export const word = (...words: string[]): Shape => ({
  out: (value) => words.indexOf(value as string),
  in: (plain) => words[plain as number] ?? `unknown_${plain as number}`,
});

export const list = (of: Shape): Shape => ({
  out: (value, whole) => (value as unknown[]).map((item) => of.out(item, whole)),
  in: (plain, whole) => (plain as Plain[]).map((item) => of.in(item, whole)),
  absent: [],
});

export const pair = (...of: Shape[]): Shape => ({
  out: (value, whole) => (value as unknown[]).map((item, at) => of[at]!.out(item, whole)),
  in: (plain, whole) => (plain as Plain[]).map((item, at) => of[at]!.in(item, whole)),
});

/** An object, by its fields in order. JSON leaves those with a question mark out when they are absent. */
export const record = (fields: Record<string, Shape>): Shape => ({
  out(value) {
    const whole = value as Fields;
    const items = Object.entries(fields).map(([name, shape]) => {
      const value = whole[name.replace('?', '')];
      const item = shape.said ? value : (value ?? shape.given);
      const empty = item === false || (Array.isArray(item) && !item.length);
      const nothing = item === undefined || (empty && !shape.said);
      return nothing ? null : shape.out(item, whole);
    });
    while (items.at(-1) === null) items.pop();
    return items;
  },
  in(plain) {
    const whole: Fields = {};
    Object.entries(fields).forEach(([name, shape], at) => {
      const item = (plain as Plain[])[at] ?? null;
      const value = item === null ? shape.absent : shape.in(item, whole);
      const optional = name.endsWith('?');
      if (value !== undefined && !(optional && item === null)) whole[optional ? name.slice(0, -1) : name] = value;
    });
    return whole;
  },
});

/** Frames: their number, then their fields. Numbers follow each other, but for those that are said behind an `@`. */
export const frames = (table: Record<string, Record<string, Shape>>): Shape => {
  const types: string[] = [];
  const shapes: Shape[] = [];
  for (const [name, fields] of Object.entries(table)) {
    const [type, number = types.length] = name.split('@');
    types[+number] = type!;
    shapes[+number] = record(fields);
  }
  return {
    out(value, whole) {
      const number = types.indexOf((value as Fields)['type'] as string);
      return [number, ...(shapes[number]!.out(value, whole) as Plain[])];
    },
    in(plain, whole) {
      const [number, ...fields] = plain as Plain[];
      const shape = shapes[number as number];
      return { type: types[number as number] ?? `unknown_${number as number}`, ...(shape?.in(fields, whole) as Fields) };
    },
  };
};
