import { expect, test } from 'vitest';

import { Accounts, Refused } from '../src/app/account';
import { readInvitation } from '../src/app/session';
import { roomIn } from '../src/app/nav';

interface Call {
  path: string;
  method: string;
  body: unknown;
}

function accounts(answers: { status: number; body: unknown }[], calls: Call[] = []) {
  return new Accounts((async (url: string, init: RequestInit) => {
    calls.push({ path: url, method: init.method ?? '', body: init.body && JSON.parse(String(init.body)) });
    const answer = answers.shift();
    if (!answer) throw new TypeError('no network');
    return new Response(JSON.stringify(answer.body), { status: answer.status });
  }) as typeof fetch);
}

const grant = { user: { id: 'u_1', name: 'Ann', version: 1 }, access_token: 'token-1', expires_in_ms: 600_000 };

test('a token of the sign-in is used once, the next is fetched', async () => {
  const calls: Call[] = [];
  const mine = accounts([{ status: 200, body: grant }, { status: 200, body: { ...grant, access_token: 'token-2' } }], calls);
  expect(await mine.login('Ann', 'a password')).toEqual(grant.user);
  expect(await mine.token(Date.now())).toEqual({ token: 'token-1' });
  expect((await mine.token(Date.now())).token).toBe('token-2');
  expect(calls.map(({ path }) => path)).toEqual(['/api/login', '/api/refresh']);
});

test('an old token is not handed out', async () => {
  const mine = accounts([{ status: 200, body: grant }, { status: 200, body: { ...grant, access_token: 'token-2' } }]);
  await mine.login('Ann', 'a password');
  expect((await mine.token(Date.now() + 590_000)).token).toBe('token-2');
});

test('a refusal carries code, field and when', async () => {
  const mine = accounts([{ status: 409, body: { error: { code: 'name_taken', message: '', field: 'name', retryable: false, retry_after_ms: 5 } } }]);
  const refused = await mine.register('Ann', 'a password').catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(Refused);
  expect(refused).toMatchObject({ code: 'name_taken', field: 'name', retryAfterMs: 5 });
});

test('no network and a proxy without its server are the same', async () => {
  await expect(accounts([]).refresh()).rejects.toMatchObject({ code: 'offline' });
  await expect(accounts([{ status: 502, body: '<html>' }]).refresh()).rejects.toMatchObject({ code: 'offline' });
});

test('what a link carries', () => {
  expect(readInvitation('#setup=a%2Bb')).toEqual({ setup: 'a+b' });
  expect(readInvitation('#invite=xyz')).toEqual({ invite: 'xyz' });
  expect(readInvitation('#/r_1')).toEqual({});
  expect(roomIn('#/r_abc234')).toBe('r_abc234');
  expect(roomIn('#/u_abc')).toBeUndefined();
});

test('a page that somebody puts in the way does not end the session', async () => {
  const portal = new Accounts((async () => new Response('<html>Welcome aboard</html>')) as unknown as typeof fetch, undefined);
  await expect(portal.token(Date.now())).rejects.toMatchObject({ code: 'offline' });
});

test('where nobody is signed in there is no token', async () => {
  const nobody = new Accounts((async () => new Response(null, { status: 204 })) as unknown as typeof fetch, undefined);
  await expect(nobody.token(Date.now())).rejects.toMatchObject({ code: 'signed_out' });
});
