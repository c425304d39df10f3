// The door: coming in, being refused, going, being sent out, and the first administrator.
import assert from 'node:assert/strict';

import { journey } from '../lib/journey.mjs';

// The server ends the socket before it answers the sign-out: the page may be dialling again when it leaves.
journey('names and passwords are refused in words, and a sign-out leaves nothing behind', { name: 'entry', expected: ['refusals', 'away'] }, async ({ somebody }) => {
  const ann = await somebody('Ann');
  await ann.register();
  await ann.createRoom('Harbour');
  await ann.write('I was here.');
  await ann.own('sent').waitFor();
  await ann.composer.fill('and a draft');
  await ann.signOut();
  const left = await ann.page.evaluate(async () => ({
    stores: (await indexedDB.databases()).map(({ name }) => name).filter((name) => name?.includes('u_')),
    kept: Object.keys(localStorage).filter((name) => /draft|user/.test(name)),
  }));
  assert.deepEqual(left, { stores: [], kept: [] });

  await ann.fillDoor('sign-in', 'not the password');
  await ann.sees('That password does not fit this name.');
  await ann.signIn();
  await ann.openRoom('Harbour');
  await ann.sees('I was here.');

  const twin = await somebody('ANN');
  await twin.at('to-register').click();
  await twin.fillDoor('register');
  await twin.sees('Somebody has this name already. Choose another one.');
  await twin.fillDoor('register', 'short');
  await twin.sees('A password has 8 to 256 characters.');
});

journey('a password changed elsewhere ends the session in words, and the drafts stay', { name: 'ended', expected: ['refusals', 'away'] }, async ({ server, somebody }) => {
  const ann = await somebody('Ann');
  await ann.register();
  await ann.createRoom('Harbour');
  await ann.composer.fill('half a thought');
  const { access_token: token } = await server.post('login', { name: 'Ann', password: ann.password, cookie: false });
  const changed = Date.now();
  await server.post('password', { old: ann.password, new: 'another long sentence' }, token);
  await ann.sees('You were signed out on this device. Sign in to go on; your drafts are here.', 5_000);
  assert.ok(Date.now() - changed < 5_000);
  await ann.fillDoor('sign-in');
  await ann.sees('That password does not fit this name.');
  ann.password = 'another long sentence';
  await ann.signIn();
  await ann.inRoom('Harbour');
  assert.equal(await ann.composer.inputValue(), 'half a thought');
});

journey('the printed link makes the first administrator, once, and leaves the address bar', { name: 'setup', expected: ['refusals'] }, async ({ server, somebody }) => {
  assert.match(server.setupLink, /#setup=/);
  const ada = await somebody('Ada');
  await ada.page.goto('about:blank');
  await ada.page.goto(server.setupLink);
  await ada.sees('It runs. Now make it yours.');
  assert.equal(ada.page.url(), `${server.url}/`, 'a secret does not stay in the address bar');
  await ada.fillDoor('setup');
  await ada.connected();

  const eve = await somebody('Eve');
  await eve.page.goto('about:blank');
  await eve.page.goto(server.setupLink);
  await eve.fillDoor('setup');
  await eve.sees('This link has been used or has ended.');
});
