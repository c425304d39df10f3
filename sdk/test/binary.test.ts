import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

import { binarySocket, decode, encode } from '../src/binary/index.js';
import { read, write, type Plain } from '../src/binary/cbor.js';
import { client, server } from '../src/binary/tables.js';
import type { ClientFrame } from '../src/wire.js';

const hexed = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));
const load = <T>(file: string): T[] =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../../protocol/vectors/${file}.json`, import.meta.url)), 'utf8')) as T[];

/** The golden frames of a side in both forms. */
function golden(side: 'client' | 'server') {
  const json = load<{ name: string; frame: object }>(side);
  const binary = load<{ name: string; hex: string }>(`${side}.bin`);
  expect(binary.map(({ name }) => name)).toEqual(json.map(({ name }) => name));
  return json.map(({ name, frame }, at) => ({ name, frame, hex: binary[at]!.hex }));
}

test.each([['client', client], ['server', server]] as const)('golden frames of the %s are the same in both forms', (side, table) => {
  for (const { name, frame, hex } of golden(side)) {
    expect(hexed(write(table.out(frame, {}))), name).toBe(hex);
    expect(table.in(read(bytesOf(hex)), {}), name).toEqual(frame);
  }
});

test('several frames in one message come out in order', () => {
  const [one, two] = golden('server');
  const all = bytesOf(`82${one!.hex}${two!.hex}`);
  expect(decode(all)).toEqual([one!.frame, two!.frame]);
});

test('newer frames, fields, kinds and words stay recognisable', () => {
  expect(decode(write([99, 1, 'x']))).toEqual([{ type: 'unknown_99' }]);
  expect(decode(write([9, 7, 'later']))).toEqual([{ type: 'ok', req: 7 }]);
  const ids = new Uint8Array(16);
  const [event] = decode(write([1, ids, 4, 3, 2, [ids, 1], ids, 0, 50, ['new', [1]]]));
  expect(event).toMatchObject({ seq: 4, kind: 'unknown_50', body: ['new', [1]] });
});

test('numbers of all sizes are written in the shortest form and read back', () => {
  const examples: Array<[Plain, string]> = [
    [0, '00'], [23, '17'], [24, '1818'], [255, '18ff'], [256, '190100'], [65_536, '1a00010000'],
    [4_294_967_296, '1b0000000100000000'], [Number.MAX_SAFE_INTEGER, '1b001fffffffffffff'], [-1, '20'], [-1000, '3903e7'],
    ['\u{1f41f}', '64f09f909f'], [new Uint8Array([1, 2]), '420102'], [[true, false, null], '83f5f4f6'],
  ];
  for (const [value, hex] of examples) {
    expect(hexed(write(value))).toBe(hex);
    expect(read(bytesOf(hex))).toEqual(value);
  }
});

test('what is no frame is refused', () => {
  for (const hex of ['', '00', '81', '8118', '814301', '8161ff', 'a0', '81c000', '9fff', '8000', '9bffffffffffffffff', '81f7']) {
    expect(() => decode(bytesOf(hex)), hex).toThrow();
  }
});

test('the socket speaks to the core in JSON and to the server in bytes', () => {
  const sent: Uint8Array[] = [];
  const under = {
    binaryType: '', onopen: null as (() => void) | null, onclose: null as ((event: { code: number; reason: string }) => void) | null,
    onmessage: null as ((event: { data: unknown }) => void) | null,
    send: (bytes: unknown) => void sent.push(bytes as Uint8Array), close: () => undefined,
  };
  const asked: string[] = [];
  const open = binarySocket({ lowBandwidth: true, webSocket: (url, protocol) => (asked.push(`${url} ${protocol}`), under) });
  const socket = open('https://chat.example/ws', 'chinwag.v1.json');
  expect(asked).toEqual(['wss://chat.example/ws chinwag.v1.bin']);
  const heard: unknown[] = [];
  socket.onmessage = ({ data }) => heard.push(data);
  socket.onopen = () => heard.push('open');
  socket.onclose = ({ code }) => heard.push(code);
  under.onopen!();
  socket.send('{"type":"hello","v":1,"token":"t"}');
  const hello: ClientFrame = { type: 'hello', v: 1, token: 't', low_bandwidth: true };
  expect(hexed(sent[0]!)).toBe(hexed(encode(hello)));
  under.onmessage!({ data: Uint8Array.from([0x82, 0x82, 9, 7, 0x82, 9, 8]).buffer });
  under.onmessage!({ data: Uint8Array.from([0xff]).buffer });
  under.onclose!({ code: 1012, reason: '' });
  expect(heard).toEqual(['open', '{"type":"ok","req":7}', '{"type":"ok","req":8}', '', 1012]);
});
