// @vitest-environment happy-dom
import { effect } from '@preact/signals';
import { expect, test } from 'vitest';

import { placeOf } from '../src/chat';
import { FakeChat, line } from './fake';

const me = { id: 'u_me', name: 'Me', version: 1 };
const ann = { id: 'u_ann', name: 'Ann', version: 1 };

function start() {
  const fake = new FakeChat({
    me,
    people: [ann],
    rooms: [
      { id: 'r_1', kind: 'direct', peer: ann.id, members: [me.id, ann.id], lines: [line({ key: 'a', seq: 1, from: ann.id, text: 'hello' })] },
    ],
  });
  let signedOut = 0;
  const place = placeOf(fake.chat, { me, keeps: true, onSignedOut: () => (signedOut += 1), erase: async () => undefined });
  return { fake, place, signedOut: () => signedOut };
}

test('a direct room carries the name of the other', () => {
  expect(start().place.rooms.value[0]).toMatchObject({ name: 'Ann', peer: ann.id, last: { kind: 'message', text: 'hello' } });
});

test('the list shows words that wait as the last ones', () => {
  const here = line({ key: 'a', seq: 1, from: ann.id, text: 'hello' });
  const waiting = { ...line({ key: 'b', seq: 2, from: me.id, text: 'on its way' }), seq: undefined, status: 'pending' as const, own: true };
  const fake = new FakeChat({ me, people: [ann], rooms: [{ id: 'r_1', kind: 'direct', peer: ann.id, members: [me.id, ann.id], lines: [here, waiting] }] });
  const place = placeOf(fake.chat, { me, keeps: true, onSignedOut: () => undefined, erase: async () => undefined });
  expect(place.rooms.value[0]?.last).toMatchObject({ text: 'on its way', sending: 'sending' });
});

test('own words wait without a line and are on their way with one', () => {
  const { fake, place } = start();
  const conversation = place.open('r_1');
  const stop = effect(() => void conversation.entries.value);
  void conversation.send('hi');
  const last = () => conversation.entries.value.at(-1);
  expect(last()).toMatchObject({ text: 'hi', sending: 'sending' });
  expect(place.waiting.value).toBe(1);
  fake.go({ state: 'reconnecting', reason: 'closed', attempt: 1, retryInMs: 1_000 });
  expect(last()).toMatchObject({ sending: 'queued' });
  stop();
});

test('entries that did not change stay the same objects', () => {
  const { fake, place } = start();
  const conversation = place.open('r_1');
  const stop = effect(() => void conversation.entries.value);
  const before = conversation.entries.value[0];
  void conversation.send('hi');
  fake.go({ state: 'failed', reason: 'closed', attempt: 5 });
  expect(conversation.entries.value[0]).toBe(before);
  stop();
});

test('a session that ended is told', () => {
  const { fake, signedOut } = start();
  fake.go({ state: 'disconnected', reason: 'signed_out', attempt: 0 });
  expect(signedOut()).toBe(1);
});
