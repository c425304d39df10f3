import { defineConfig } from 'vitest/config';

// One after the other: each has a server of its own, and two processors are enough for one of them.
export default defineConfig({ test: { include: ['*.test.ts'], testTimeout: 120_000, fileParallelism: false } });
