/** `@chinwag/client`: the whole public surface of the core entry. */

export { connect, type ConnectOptions } from './connect.js';
export { ChatError, type LocalCode } from './errors.js';
export type { Clock, OpenSocket, Page, Random, SocketLike } from './env.js';
export type { Store, Writing } from './store.js';
export { memoryStore } from './store.js';
export type * from './types.js';
export type { DirectoryRow, ErrorCode, Folded, MemberState, Profile, Role, RoomKind } from './wire.js';
