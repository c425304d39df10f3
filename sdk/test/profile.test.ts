import { expect, test } from 'vitest';

import { configure } from '../src/conversation.js';
import { loadAvatar, people, setProfile, uploadAvatar } from '../src/people/index.js';
import type { ClientFrame, Profile } from '../src/wire.js';
import { settle } from './clock.js';
import { userId } from './server.js';
import { look, World } from './world.js';

const ann = userId('ann');
const picture = 'a_mfrggzdfmztwq2lknnwg23tpoa';

/** A server that keeps ann's profile, and tells her connections of it. */
function keeping(world: World): { profile: Profile; said: ClientFrame[] } {
  const kept: { profile: Profile; said: ClientFrame[] } = { profile: { id: ann, name: 'ann', version: 1 }, said: [] };
  world.server.more = (frame, from) => {
    const { req } = frame;
    if (frame.type !== 'profile') return;
    kept.said.push(JSON.parse(JSON.stringify(frame)) as ClientFrame);
    kept.profile = { ...kept.profile, version: kept.profile.version + 1 };
    if (frame.display_name) kept.profile.display_name = frame.display_name;
    if (frame.avatar) kept.profile.avatar = frame.avatar;
    world.server.profiles.set(ann, kept.profile);
    from.out({ type: 'ok', req });
  };
  return kept;
}

test('what others see of one is set, taken away, and known to the chat', async () => {
  const world = new World();
  const kept = keeping(world);
  const chat = await world.chat('ann');
  expect(await setProfile(chat, { displayName: 'Ann Lee' })).toMatchObject({ display_name: 'Ann Lee', version: 2 });
  await setProfile(chat, { avatar: picture });
  await setProfile(chat, { displayName: null, avatar: null });
  expect(kept.said.map(({ req: _req, ...frame }: ClientFrame & { req?: number }) => frame)).toEqual([
    { type: 'profile', display_name: 'Ann Lee' },
    { type: 'profile', avatar: picture },
    { type: 'profile', display_name: '', avatar: null },
  ]);
  expect(chat.profile(ann)).toMatchObject({ display_name: 'Ann Lee', avatar: picture, version: 4 });
});

test('a change on another device is taken in', async () => {
  const world = new World();
  const kept = keeping(world);
  const chat = await world.chat('ann');
  const here = people(chat);
  kept.profile = { ...kept.profile, version: 7, display_name: 'Annie' };
  world.server.profiles.set(ann, kept.profile);
  world.server.tell(ann, { type: 'profile', user: kept.profile });
  await settle();
  expect(chat.profile(ann)).toEqual(kept.profile);
  here.end();
});

test('a room gets and loses its picture, by events as by a row', async () => {
  const world = new World();
  const kitchen = world.server.room('kitchen', ['ann', 'bob']);
  const chat = await world.chat('ann');
  const { room } = look(chat, kitchen);
  await settle();
  const before = world.server.got.length;
  void configure(room, { avatar: picture }).catch(() => {});
  void configure(room, { avatar: null }).catch(() => {});
  await settle();
  const said = world.server.got.slice(before).filter((frame) => frame.type === 'configure');
  expect(said.map(({ avatar }) => avatar)).toEqual([picture, null]);
});

/** Answers as the server does; keeps what was asked. */
function door(status: number, body: BodyInit, asked: Request[]): { url: string; token: () => string; fetch: typeof fetch } {
  const fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    asked.push(new Request(input, init));
    return new Response(body, { status });
  };
  return { url: 'https://chat.example', token: () => 'a token', fetch };
}

test('pictures go out and come in with the token in a header', async () => {
  const asked: Request[] = [];
  const blob = new Blob(['a picture'], { type: 'image/png' });
  expect(await uploadAvatar(blob, door(201, JSON.stringify({ avatar: picture }), asked))).toBe(picture);
  expect(await (await loadAvatar(picture, door(200, 'a picture', asked))).text()).toBe('a picture');
  expect(asked.map(({ method, url, headers }) => [method, url, headers.get('authorization')])).toEqual([
    ['PUT', 'https://chat.example/api/v1/avatars', 'Bearer a token'],
    ['GET', `https://chat.example/api/v1/avatars/${picture}`, 'Bearer a token'],
  ]);
  expect(asked[0]!.headers.get('content-type')).toBe('image/png');
});

test('what is refused, and a server that is away, are errors with a code', async () => {
  const refusal = { code: 'too_many', message: 'There are as many.', retryable: false };
  const refused = uploadAvatar(new Blob(), door(409, JSON.stringify({ error: refusal }), []));
  await expect(refused).rejects.toMatchObject(refusal);
  await expect(loadAvatar(picture, door(502, '<html>', []))).rejects.toMatchObject({ code: 'unavailable', retryable: true });
  const away = { token: () => '', fetch: () => Promise.reject(new TypeError('offline')) };
  await expect(loadAvatar(picture, away)).rejects.toMatchObject({ code: 'unavailable', retryable: true });
});
