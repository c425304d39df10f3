/** What the SDK keeps on the device. */
export interface Store {
  close(): void;
}
export declare function memoryStore(): Store;
