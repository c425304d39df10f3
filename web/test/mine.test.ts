// @vitest-environment happy-dom
// Taking away what is one's own, and going for good.
import { expect, test } from 'vitest';

import { Accounts } from '../src/app/account';
import { Device } from '../src/app/device';
import { download, erase } from '../src/app/mine';
import { Session } from '../src/app/session';
import type { Person, Place } from '../src/model';

const answering = (body: string, status = 200) => {
  const asked: { url: string; init: RequestInit }[] = [];
  const fetcher = (async (url: string, init: RequestInit) => {
    asked.push({ url, init });
    return new Response(body, { status });
  }) as unknown as typeof fetch;
  return { asked, fetcher };
};

test('a download is whole when its last line is there', async () => {
  const { asked, fetcher } = answering('{"type":"export"}\n{"type":"end","lines":2}\n');
  const file = await download('a token', fetcher);
  expect(await file.text()).toContain('"lines":2');
  expect(asked[0]?.url).toBe('/api/v1/account/export');
  expect(asked[0]?.init.headers).toMatchObject({ authorization: 'Bearer a token' });
});

test('a download without it was cut off', async () => {
  const { fetcher } = answering('{"type":"export"}\n{"type":"event","body":{"text":"end"}}\n');
  await expect(download('a token', fetcher)).rejects.toMatchObject({ code: 'cut_off' });
});

test('a refusal has its code', async () => {
  const { asked, fetcher } = answering('{"error":{"code":"bad_credentials","field":"password"}}', 401);
  await expect(erase('a token', 'redact', 'wrong', fetcher)).rejects.toMatchObject({ code: 'bad_credentials' });
  expect(asked[0]?.init).toMatchObject({ method: 'DELETE', body: '{"messages":"redact","password":"wrong"}' });
});

const me: Person = { id: 'u_me', name: 'Ann' };

/** Somebody who is here, and what was erased of them. */
async function here() {
  const closed: boolean[] = [];
  const grant = { user: { ...me, version: 1 }, access_token: 'a token', expires_in_ms: 600_000 };
  const fetcher = (async () => new Response(JSON.stringify(grant))) as unknown as typeof fetch;
  const place = { me, close: async (all: boolean) => void closed.push(all) } as unknown as Place;
  const session = new Session(new Accounts(fetcher, undefined), new Device(localStorage), async () => place, {});
  await session.enter(grant.user);
  return { session, closed };
}

test('the line that closes before the answer comes is no sign-out', async () => {
  const { session, closed } = await here();
  await session.erase(async () => session.signedOut());
  expect(session.stage.peek()).toEqual({ at: 'door', signedOut: false });
  expect(closed).toEqual([true]);
});

test('an answer that is lost after the line was closed is one', async () => {
  const { session, closed } = await here();
  const lost = session.erase(async () => {
    await session.signedOut();
    throw new Error('lost');
  });
  await expect(lost).rejects.toThrow('lost');
  expect(session.stage.peek()).toEqual({ at: 'door', signedOut: true });
  expect(closed).toEqual([false]);
});

test('whoever is refused stays', async () => {
  const { session, closed } = await here();
  const refused = session.erase(async () => {
    throw new Error('refused');
  });
  await expect(refused).rejects.toThrow('refused');
  expect(session.stage.peek()).toMatchObject({ at: 'place' });
  expect(closed).toEqual([]);
});
