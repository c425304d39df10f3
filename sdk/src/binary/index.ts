/**
 * `@chinwag/client/binary`: the binary form of the protocol (docs/protocol.md, section 16), and low bandwidth, as a
 * socket that the core uses like any other. It keeps nothing of its own; the core does not know of it.
 */

import type { OpenSocket, SocketLike } from '../env.js';
import type { ClientFrame, ServerFrame } from '../wire.js';
import { read, write, type Plain } from './cbor.js';
import { client, server } from './tables.js';

export const BINARY_PROTOCOL = 'chinwag.v1.bin';

export interface BinaryOptions {
  /** Few and large messages: the server sends what waits every 100 ms, and asks seldom for signs of life. */
  lowBandwidth?: boolean;
  /** Opens the socket underneath; `WebSocket`, if left out. */
  webSocket?: (url: URL, protocol: string) => Pick<WebSocket, 'send' | 'close'> & {
    binaryType: string;
    onopen: (() => void) | null;
    onclose: ((event: { code: number; reason: string }) => void) | null;
    onmessage: ((event: { data: unknown }) => void) | null;
  };
}

/** A client's frame as bytes. */
export const encode = (frame: ClientFrame): Uint8Array => write(client.out(frame, {}));

/** The frames in one message of the server: one, or several that left together. Throws for what is none. */
export function decode(bytes: Uint8Array): ServerFrame[] {
  const plain = read(bytes);
  if (!Array.isArray(plain)) throw new TypeError('a frame is an array');
  const all = Array.isArray(plain[0]) ? plain : [plain];
  return all.map((one: Plain) => server.in(one, {}) as ServerFrame);
}

/** For `connect(url, { socket: binarySocket(), … })`. */
export function binarySocket({ lowBandwidth = false, webSocket }: BinaryOptions = {}): OpenSocket {
  return (url) => {
    const full = new URL(url, globalThis.location?.href);
    full.protocol = full.protocol.replace('http', 'ws');
    const socket = webSocket?.(full, BINARY_PROTOCOL) ?? new WebSocket(full, BINARY_PROTOCOL);
    socket.binaryType = 'arraybuffer';
    const outside: SocketLike = {
      onopen: null,
      onmessage: null,
      onclose: null,
      send(text) {
        const frame = JSON.parse(text) as ClientFrame;
        if (frame.type === 'hello' && lowBandwidth) frame.low_bandwidth = true;
        socket.send(encode(frame) as Uint8Array<ArrayBuffer>);
      },
      close: (code) => socket.close(code),
    };
    const tell = (data: string) => outside.onmessage?.({ data });
    socket.onopen = () => outside.onopen?.(undefined as never);
    socket.onclose = (event: { code: number; reason: string }) => outside.onclose?.(event);
    socket.onmessage = ({ data }: { data: unknown }) => {
      let frames: ServerFrame[];
      try {
        frames = decode(new Uint8Array(data as ArrayBuffer));
      } catch {
        // To the core, the connection is as broken as by bad JSON.
        return void tell('');
      }
      for (const frame of frames) tell(JSON.stringify(frame));
    };
    return outside;
  };
}
