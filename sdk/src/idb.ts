import type { Store } from './store.js';
/** Keeps everything in the IndexedDB database `name`: one name per account. */
export declare function idbStore(name: string): Store;
