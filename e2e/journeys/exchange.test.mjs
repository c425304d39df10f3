// Two people exchange every string that ever broke a program, and the server is killed under them.
//
// "Byte for byte" means: what stood in the text field when Enter was pressed is what the server
// keeps and what both pages show. The one thing that a text field changes is told in strings.mjs.
import assert from 'node:assert/strict';

import { journey, until } from '../lib/journey.mjs';
import { history } from '../lib/raw.mjs';
import { isBlank, naughty, scripts, typed } from '../lib/strings.mjs';

/** After so many strings both pages must have caught up. */
const stretch = 24;
/**
 * What happens before a string is written. The first kill comes between messages, the second with
 * messages that the server has not read, the third in the middle of whatever goes on.
 * @type {Record<number, 'kill' | 'freeze' | 'start'>}
 */
const plan = { 60: 'kill', 66: 'start', 200: 'freeze', 206: 'kill', 212: 'start', 340: 'kill', 346: 'start' };
/** So many are written to a server that has stopped reading. */
const unread = 6;
/** How many strings the package is known to have, and how many scripts and shapes of text are ours. */
const known = { naughty: 461, scripts: 14 };
/** A person may send ten messages a second: nobody wants to wait for that here. */
const settings = ['limits.rate_per_second=1000', 'limits.rate_burst=1000'];

journey('two people exchange all naughty strings and ten scripts over three kills', { name: 'exchange', settings, expected: ['away'] }, async ({ browser, server, somebody, t }) => {
  const strings = [...naughty, ...scripts];
  const wanted = strings.filter((text) => !isBlank(text)).map(typed);
  const blanks = strings.filter(isBlank);
  assert.deepEqual({ naughty: naughty.length, scripts: scripts.length }, known);
  assert.ok(blanks.length < 10, `${blanks.length} strings would not be exchanged`);
  // Nobody watches how a message fades in; drawing that would be most of the time.
  const still = /** @type {const} */ ({ reducedMotion: 'reduce', viewport: { width: 900, height: 600 } });
  const ann = await somebody('Ann', still);
  const ben = await somebody('Ben', still);
  await ann.register();
  await ben.register();
  const room = await ann.createRoom('Harbour');
  await ben.joinRoom('Harbour');

  /** What each wrote, in their order. */
  const wrote = { Ann: /** @type {string[]} */ ([]), Ben: /** @type {string[]} */ ([]) };
  let underWay = 0;
  let killed = Promise.resolve();
  let isUp = true;
  const began = Date.now();
  for (const [index, text] of wanted.entries()) {
    const act = plan[index];
    if (act === 'freeze') server.freeze();
    if (act === 'kill') {
      // What has been written since it froze has left, and cannot be answered.
      const least = plan[index - unread] === 'freeze' ? unread : 0;
      await until(`${least} messages are under way`, async () => (await sending(ann, ben)) >= least);
      underWay += await sending(ann, ben);
      // Not waited for: the next string is written while it dies.
      killed = server.kill();
    }
    if (act === 'start') {
      await killed;
      for (const one of [ann, ben]) await one.away();
      await server.start();
    }
    if (act) isUp = act === 'start';
    const [who, mine] = index % 2 === 0 ? [ann, wrote.Ann] : [ben, wrote.Ben];
    await who.write(text);
    mine.push(text);
    if (index % stretch === stretch - 1 && isUp) {
      const both = async () => (await ann.count()) === index + 1 && (await ben.count()) === index + 1;
      await until(`both pages show ${index + 1} messages`, both, 45_000);
    }
  }
  const all = async () => (await ann.count()) === wanted.length && (await ben.count()) === wanted.length;
  await until(`both pages show ${wanted.length} messages`, all, 45_000);
  for (const one of [ann, ben]) {
    await until(`nothing of ${one.name} waits`, async () => (await one.page.locator('.own:not([data-sending=sent])').count()) === 0);
  }
  const tookMs = Date.now() - began;
  assert.equal(server.kills, Object.values(plan).filter((act) => act === 'kill').length);
  assert.ok(underWay >= unread, `${underWay} messages were on their way when the server was killed`);

  for (const blank of blanks) await refused(ann, blank, wanted.length);

  const hers = await ann.shown();
  const his = await ben.shown();
  const log = await history(browser, server, ann, room);
  const kept = log.filter(({ kind }) => kind === 'message');
  const line = (/** @type {{seq: string | number, key: string, text: string}} */ { seq, key, text }) => `${seq} ${key} ${JSON.stringify(text)}`;
  assert.deepEqual(kept.map(({ seq }) => seq), [...kept.keys()].map((index) => (kept[0]?.seq ?? 0) + index), 'no hole in what the server keeps');
  const truth = kept.map(({ seq, key, body }) => line({ seq, key, text: body.text }));
  assert.equal(truth.length, wanted.length);
  assert.deepEqual(hers.map(line), truth, 'what Ann sees is what the server keeps, in its order');
  assert.deepEqual(his.map(line), truth, 'what Ben sees is what the server keeps, in its order');
  assert.equal(new Set(hers.map(({ key }) => key)).size, wanted.length, 'each message once');
  assert.deepEqual([...kept.map(({ body }) => body.text)].sort(), [...wanted].sort(), 'each string once, byte for byte');
  // Whose message was stored first is open: only her who made the room, in its first event, is known.
  const annsId = log[0]?.from[0];
  const of = (/** @type {boolean} */ hers) => kept.filter(({ from: [id] }) => (id === annsId) === hers).map(({ body }) => body.text);
  assert.deepEqual({ Ann: of(true), Ben: of(false) }, wrote, 'each in the order of writing');

  const late = await somebody('Ann');
  await late.signIn();
  await late.openRoom('Harbour');
  await until('a new device reads back to the beginning', async () => {
    await late.page.locator('.log').evaluate((log) => (log.scrollTop = 0));
    return (await late.count()) === wanted.length;
  }, 30_000);
  assert.deepEqual((await late.shown()).map(line), truth, 'a device that was never here reads the same');

  t.diagnostic(`${strings.length} strings: ${wanted.length} exchanged in ${(tookMs / 1000).toFixed(1)} s, ${blanks.length} blank ones refused by the page; ` +
    `${server.kills} kills -9 with ${underWay} messages under way; settings: ${settings.join(' ')}`);
});

/**
 * How many messages have left a page and are not acknowledged.
 * @param {import('../lib/person.mjs').Person[]} people
 */
async function sending(...people) {
  const counts = await Promise.all(people.map(({ page }) => page.locator('.own[data-sending=sending]').count()));
  return counts.reduce((sum, count) => sum + count, 0);
}

/**
 * The page sends nothing of a text that nobody can see, and takes nothing away.
 * @param {import('../lib/person.mjs').Person} person
 * @param {string} blank
 * @param {number} before
 */
async function refused(person, blank, before) {
  await person.write(blank);
  assert.equal(await person.composer.inputValue(), blank, 'what was typed still stands there');
  assert.equal(await person.count(), before, `${JSON.stringify(blank)} is not a message`);
  assert.equal(await person.at('send').getAttribute('aria-disabled'), 'true');
  await person.composer.fill('');
}
