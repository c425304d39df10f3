// A message deleted for oneself alone: gone on all of one's devices, also on one that was off and on a new one, and
// nobody else sees anything of it (docs/protocol.md, section 22).
import { expect, test } from 'vitest';

import * as say from '../../sdk/src/conversation.js';
import { followHidden, hide, isHidden } from '../../sdk/src/hidden.js';
import { type Device, Town, until } from './town.js';

/** What a person sees in a room. */
const seen = (device: Device, room: string): string[] => {
  const { info, messages } = device.room(room);
  const shown = messages.get().filter((message) => message.kind === 'message' && !isHidden(info.get(), message));
  return shown.map(({ text }) => text);
};

test('what one hides is hidden on all of one\'s devices and nowhere else', async () => {
  const town = await Town.found('hidden');
  const [ann, ben] = [await town.person('Ann'), await town.person('Ben')];
  const [phone, laptop] = [await ann.device('phone').on(), await ann.device('laptop').on()];
  const other = await ben.device('phone').on();
  const room = await say.create(other.chat, 'group', 'Harbour');
  await say.add(other.room(room), ann.id);
  for (const text of ['one', 'two', 'three']) await other.room(room).send(text).sent;
  for (const device of [phone, laptop]) {
    followHidden(device.chat);
    device.room(room).messages.subscribe(() => undefined);
    await until(`${device.name} has all`, () => seen(device, room).length === 3);
  }
  await other.room(room).history();
  const two = other.room(room).messages.get().find(({ text }) => text === 'two')!.seq!;
  const before = phone.room(room).info.get()!.unread;
  await hide(phone.room(room), two);
  for (const device of [phone, laptop]) {
    await until(`${device.name} hides it`, () => seen(device, room).join() === 'one,three');
    expect(device.room(room).info.get()!.unread, 'it counts as ever').toBe(before);
  }
  expect(seen(other, room)).toEqual(['one', 'two', 'three']);

  // One that was off meanwhile, and a new one.
  await laptop.off();
  const three = other.room(room).messages.get().find(({ text }) => text === 'three')!.seq!;
  await hide(phone.room(room), three);
  await hide(phone.room(room), two, false);
  await laptop.on();
  const tablet = await ann.device('tablet').on();
  for (const device of [phone, laptop, tablet]) {
    device.room(room).messages.subscribe(() => undefined);
    await device.room(room).history();
    await until(`${device.name} agrees`, () => seen(device, room).join() === 'one,two');
  }
  // Her own coming in is no message.
  await expect(hide(phone.room(room), 2)).rejects.toMatchObject({ code: 'no_message' });
});
