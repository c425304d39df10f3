import { expect, test } from 'vitest';

import { onReturn, type Return } from '../src/line/back';
import { lineNote, lineView, quality, type LineState } from '../src/line/state';

const base: LineState = { state: 'connected', sinceMs: 1_000, online: true };

function view(part: Partial<LineState>, nowMs: number) {
  return lineView({ ...base, ...part }, nowMs);
}

test('a blip is not news', () => {
  expect(view({ state: 'connecting' }, 1_399).word).toBe('');
  expect(view({ state: 'connecting' }, 1_400)).toMatchObject({ look: 'connecting', word: 'Connecting…' });
});

test('reconnecting counts down, drains the ring, and can be hurried', () => {
  const waiting = { state: 'reconnecting', nextMs: 5_000 } as const;
  expect(view(waiting, 1_000)).toMatchObject({ word: 'Reconnecting in 4 s', left: 1, act: 'Try now' });
  expect(view(waiting, 3_001)).toMatchObject({ word: 'Reconnecting in 2 s', left: 1_999 / 4_000 });
  expect(view(waiting, 5_000)).toMatchObject({ look: 'connecting', word: 'Connecting…' });
});

test('without a network the line is offline, whatever was tried', () => {
  for (const state of ['connecting', 'reconnecting', 'failed', 'disconnected'] as const) {
    expect(view({ state, online: false }, 9_000).look).toBe('offline');
  }
  // A connection that works is believed over the browser's guess.
  expect(view({ online: false }, 9_000).look).toBe('connected');
});

test('a failed line says so and offers a try', () => {
  expect(view({ state: 'failed' }, 2_000)).toMatchObject({ look: 'failed', tone: 'bad', act: 'Try again' });
});

test('a page that is too old is loaded anew', () => {
  expect(view({ state: 'failed', outdated: true }, 2_000)).toMatchObject({ act: 'Reload', reload: true });
});

test('the note tells what happens to the words', () => {
  const note = (part: Partial<LineState>, waiting: number, keeps = true) =>
    lineNote(view(part, 2_000), waiting, keeps, 'Saltmarsh')?.text;
  expect(note({}, 3)).toBeUndefined();
  expect(note({ state: 'reconnecting', nextMs: 9_000 }, 0)).toBe('Keep writing. Your messages go out when the line is back.');
  expect(note({ state: 'failed', online: false }, 2)).toBe('You are offline. 2 messages wait on this device and go out by themselves.');
  expect(note({ state: 'failed' }, 0)).toBe('We could not reach Saltmarsh. What you wrote is kept here.');
  expect(note({ state: 'failed' }, 0, false)).toContain('keeps nothing');
  expect(note({ state: 'connecting' }, 0)).toBeUndefined();
});

test('quality follows the median round trip', () => {
  expect([149, 150, 400, 401].map(quality)).toEqual(['good', 'fair', 'fair', 'poor']);
});

test('what waited is told once it has gone', () => {
  let at: Return = { at: 'up' };
  const told: (number | undefined)[] = [];
  const steps: [boolean, number][] = [[true, 1], [false, 1], [false, 3], [true, 3], [true, 1], [true, 0], [true, 1], [true, 0]];
  for (const [connected, waiting] of steps) {
    const step = onReturn(at, connected, waiting);
    at = step.next;
    told.push(step.told);
  }
  expect(told).toEqual([undefined, undefined, undefined, undefined, undefined, 3, undefined, undefined]);
});
