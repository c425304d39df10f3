// A week of three people on six devices: offline days, edits, deletions, somebody sent away and let in again, another
// name for the room, and a server that is killed twice. At its end each device shows what a new one is given.
import { expect, test } from 'vitest';

import * as say from '../../sdk/src/conversation.js';
import type { RoomInfo } from '../../sdk/src/types.js';
import { type Device, type Person, picture, Town, until } from './town.js';

/** The line of this text on a device; waits until it is there and numbered. */
async function seqOf(device: Device, room: string, text: string): Promise<number> {
  let seq: number | undefined;
  await until(`${device.name} has ${text}`, async () => {
    seq = (await device.lines(room)).find((line) => line.text === text)?.seq;
    return seq !== undefined;
  });
  return seq!;
}

async function shows(device: Device, room: string, what: string, holds: (now: RoomInfo) => boolean): Promise<void> {
  await until(`${device.name} shows ${what}`, () => {
    const now = info(device, room);
    return now !== undefined && holds(now);
  });
}

const info = (device: Device, room: string) => device.room(room).info.get();

test('three people on six devices live through a week and end equal with a fresh client', async () => {
  const town = await Town.found('week');
  const [ann, ben, cat] = [await town.person('Ann'), await town.person('Ben'), await town.person('Cat')];
  const [annsPhone, annsLaptop] = [ann.device('phone'), ann.device('laptop')];
  const [bensPhone, bensLaptop] = [ben.device('phone'), ben.device('laptop')];
  const [catsPhone, catsLaptop] = [cat.device('phone'), cat.device('laptop')];
  const devices = [annsPhone, annsLaptop, bensPhone, bensLaptop, catsPhone, catsLaptop];

  // Monday: everybody is there.
  for (const device of devices) await device.on();
  const harbour = await say.create(annsPhone.chat, 'group', 'Harbour');
  for (const { id } of [ben, cat]) await say.add(annsPhone.room(harbour), id);
  // Both open the direct room at once: there is one.
  const [direct, same] = await Promise.all([say.direct(annsPhone.chat, ben.id), say.direct(bensPhone.chat, ann.id)]);
  expect(same).toBe(direct);
  for (const device of devices) await shows(device, harbour, 'the room', ({ state }) => state === 'joined');
  await annsPhone.room(harbour).send('Monday: who is in on Friday?').sent;
  const friday = await seqOf(bensLaptop, harbour, 'Monday: who is in on Friday?');
  await bensLaptop.room(harbour).send('I am', { replyTo: friday, mentions: [ann.id] }).sent;
  await catsPhone.room(harbour).send('Me too').sent;
  await annsPhone.room(direct).send('Between us').sent;
  await shows(catsLaptop, harbour, 'all of Monday', ({ head }) => head >= friday + 2);
  await annsLaptop.off();
  await catsLaptop.off();

  // Tuesday: Cat is away and writes offline; the others change what stands there.
  await catsPhone.off();
  await catsPhone.on({ offline: true });
  const late = ['offline one', 'offline two', 'offline three'].map((text) => catsPhone.room(harbour).send(text));
  say.react(catsPhone.room(harbour), friday, '⚓');
  await catsPhone.off();
  const bens = await seqOf(bensPhone, harbour, 'I am');
  await say.edit(bensPhone.room(harbour), bens, 'I am, from six on').sent;
  await say.react(bensPhone.room(harbour), friday, '👍').sent;
  await bensPhone.room(harbour).send('said too much').sent;
  await say.redact(bensPhone.room(harbour), await seqOf(bensPhone, harbour, 'said too much')).sent;
  expect(late.map(({ status }) => status)).toEqual(['pending', 'pending', 'pending']);

  // Wednesday: Cat's phone is back, and what was written on it goes out in its order.
  await catsPhone.on();
  const third = await seqOf(bensPhone, harbour, 'offline three');
  const written = (await bensPhone.lines(harbour)).filter(({ text }) => text.startsWith('offline'));
  expect(written.map(({ text }) => text)).toEqual(['offline one', 'offline two', 'offline three']);
  await annsLaptop.on();
  await say.pin(annsLaptop.room(harbour), friday).sent;
  await say.configure(annsLaptop.room(harbour), { name: 'Old Harbour', topic: 'Friday, from six on' });

  // Thursday: Cat is sent away; what is said then is not for her. The server is killed with a message under way.
  await shows(catsPhone, harbour, 'the new name', ({ name }) => name === 'Old Harbour');
  await say.remove(annsLaptop.room(harbour), cat.id);
  await shows(catsPhone, harbour, 'that Cat is out', ({ state }) => state === 'removed');
  await annsLaptop.room(harbour).send('a surprise for Cat').sent;
  await catsLaptop.on();
  await shows(catsLaptop, harbour, 'that Cat is out', ({ state }) => state === 'removed');
  await town.server.kill();
  const underWay = annsPhone.room(harbour).send('written while the server was dead');
  await town.server.start();
  for (const device of devices) if (device.isOn) device.chat.retry();
  await underWay.sent;

  // Friday: Cat is back; Ben reads on the way home, on a phone without a network.
  await say.add(annsLaptop.room(harbour), cat.id);
  await shows(catsPhone, harbour, 'that Cat is in', ({ state }) => state === 'joined');
  await annsLaptop.room(harbour).send('at six!', { mentions: ['room'] }).sent;
  const six = await seqOf(bensPhone, harbour, 'at six!');
  await shows(bensLaptop, harbour, 'a mention', ({ mentions }) => mentions > 0);
  await bensPhone.off();
  await bensPhone.on({ offline: true });
  await bensPhone.lines(harbour);
  bensPhone.room(harbour).markRead(six);
  await bensPhone.off();
  expect(info(bensLaptop, harbour)!.unread).toBeGreaterThan(0);
  await bensPhone.on();
  await shows(bensLaptop, harbour, 'that Ben has read all', ({ unread, mentions }) => unread === 0 && mentions === 0);

  // Saturday: killed again while everybody writes.
  const sending = devices.flatMap((device) => [1, 2].map((number) => device.room(harbour).send(`${device.name}, ${number}`)));
  await town.server.kill();
  await town.server.start();
  for (const device of devices) device.chat.retry();
  await Promise.all(sending.map(({ sent }) => sent));
  await annsPhone.room(direct).send('What a week').sent;
  // Ben has had enough of it for now: neither of the two can write there, until he thinks better of it.
  await say.block(bensPhone.chat, ann.id);
  for (const device of [annsPhone, bensLaptop]) {
    await expect(device.room(direct).send('not now').sent).rejects.toMatchObject({ code: 'forbidden' });
    for (const line of device.room(direct).messages.get()) if (line.status === 'failed') device.room(direct).discard(line.key);
  }
  await say.unblock(bensPhone.chat, ann.id);
  await bensLaptop.room(direct).send('Sorry').sent;
  await say.mute(annsPhone.room(harbour), cat.id);
  await say.setRole(annsPhone.room(harbour), ben.id, 'admin');

  // Sunday: everybody looks, and nobody sees anything else than a new device does.
  const { head } = info(annsPhone, harbour)!;
  expect(head).toBeGreaterThan(third + sending.length);
  for (const device of devices) {
    await device.online();
    const newest = Math.max((await device.row(harbour)).head, head);
    await shows(device, harbour, 'all of it', (now) => now.head >= newest);
  }
  for (const [person, theirs] of [[ann, [annsPhone, annsLaptop]], [ben, [bensPhone, bensLaptop]], [cat, [catsPhone, catsLaptop]]] as Array<[Person, Device[]]>) {
    const fresh = await person.device('new one').on();
    for (const room of person === cat ? [harbour] : [harbour, direct]) {
      const expected = await picture(fresh, room);
      for (const device of theirs) expect(await picture(device, room), device.name).toEqual(expected);
    }
    await fresh.off();
  }
  const seen = await catsPhone.lines(harbour);
  expect(seen.some(({ text }) => text === 'a surprise for Cat'), 'what was said without Cat').toBe(false);
  const texts = (await annsPhone.lines(harbour)).map(({ text }) => text);
  for (const device of devices) for (const number of [1, 2]) {
    expect(texts.filter((text) => text === `${device.name}, ${number}`), 'each message once').toHaveLength(1);
  }
  expect(texts).toContain('I am, from six on');
  expect(texts).not.toContain('said too much');
  expect(info(catsPhone, harbour)).toMatchObject({ name: 'Old Harbour', topic: 'Friday, from six on', muted: true });
  expect(info(bensLaptop, harbour)).toMatchObject({ role: 'admin', pins: [friday] });
  for (const device of devices) await device.off();
});
