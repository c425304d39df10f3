import { expect, test } from 'vitest';

import { Accounts } from '../src/app/account';
import { Device } from '../src/app/device';
import { Session } from '../src/app/session';
import type { Keeper } from '../src/composer/drafts';
import type { Place } from '../src/model';

function keeper(kept: Record<string, string> = {}): Keeper {
  const all = new Map(Object.entries(kept));
  return {
    getItem: (name) => all.get(name) ?? null,
    setItem: (name, value) => void all.set(name, value),
    removeItem: (name) => void all.delete(name),
  } as Keeper;
}

/** Opens the page on a device; `status` is of the answer to `refresh`. Where it comes to stand, and what it asked. */
async function open(kept: Keeper, status: number): Promise<{ at: string; asked: string[] }> {
  const asked: string[] = [];
  const answer = async (url: string) => {
    asked.push(url);
    if (url === '/api/server') return Response.json({ name: 'Saltmarsh', version: '1', registration: 'open' });
    const user = { id: 'u_1', name: 'Ann', version: 1 };
    if (status === 204) return new Response(null, { status });
    return Response.json({ user, access_token: 'token', expires_in_ms: 600_000 }, { status });
  };
  globalThis.addEventListener ??= () => undefined;
  const device = new Device(kept);
  const session = new Session(new Accounts(answer as typeof fetch, undefined), device, async () => ({}) as Place, {});
  await session.start();
  return { at: session.stage.value.at, asked };
}

test('a first visit is told that nobody is signed in, and leads to the door', async () => {
  expect(await open(keeper(), 204)).toEqual({ at: 'door', asked: ['/api/server', '/api/refresh'] });
});

test('a session outlives what the device has forgotten', async () => {
  const kept = keeper();
  expect(await open(kept, 200)).toEqual({ at: 'place', asked: ['/api/server', '/api/refresh'] });
  expect(kept.getItem('chinwag:user')).toContain('Ann');
});

test('somebody who was here is let in at once', async () => {
  const kept = keeper({ 'chinwag:user': JSON.stringify({ id: 'u_1', name: 'Ann' }) });
  expect(await open(kept, 401)).toEqual({ at: 'place', asked: ['/api/server'] });
});
