import { defineConfig } from 'vitest/config';

export default defineConfig({
  build: {
    target: 'es2022',
    rolldownOptions: { output: { minify: true } },
    lib: { entry: { index: 'src/index.ts', store: 'src/idb.ts' }, formats: ['es'] },
  },
  test: { include: ['test/**/*.test.ts'], testTimeout: 10_000 },
});
