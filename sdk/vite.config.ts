import { defineConfig } from 'vitest/config';

/** Marks for other minifiers, which come too late to matter here. */
const unmarked = {
  name: 'unmarked',
  generateBundle(_options: unknown, bundle: Record<string, { code?: string }>) {
    for (const file of Object.values(bundle)) file.code &&= file.code.replaceAll('/* @__PURE__ */ ', '');
  },
};

export default defineConfig({
  plugins: [unmarked],
  build: {
    target: 'es2022',
    rolldownOptions: { output: { minify: true } },
    lib: { entry: { index: 'src/index.ts', conversation: 'src/conversation.ts', hidden: 'src/hidden.ts', people: 'src/people/index.ts', store: 'src/idb.ts', binary: 'src/binary/index.ts' }, formats: ['es'] },
  },
  test: { include: ['test/**/*.test.ts'], testTimeout: 10_000 },
});
