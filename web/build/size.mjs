// What the first load costs: every file it fetches, compressed by itself with gzip -9.
// Fails above the wall; the target lies below it.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const target = 45 * 1024;
const wall = 50 * 1024;
const dist = fileURLToPath(new URL('../dist/', import.meta.url));

const manifest = JSON.parse(readFileSync(`${dist}.vite/manifest.json`, 'utf8'));
const files = new Set(['index.html', 'sw.js', 'manifest.webmanifest', 'icon.svg']);
const visit = (name) => {
  const chunk = manifest[name];
  if (!chunk || files.has(chunk.file)) return;
  files.add(chunk.file);
  for (const css of chunk.css ?? []) files.add(css);
  for (const asset of chunk.assets ?? []) files.add(asset);
  for (const next of chunk.imports ?? []) visit(next);
};
visit('index.html');
// The stylesheet stands in the page alone.
const page = readFileSync(`${dist}index.html`, 'utf8');
for (const [, file] of page.matchAll(/(?:src|href)="\/([^"]+)"/g)) files.add(file);
// Whoever comes for the first time stands at the door.
visit('src/entry/door.tsx');

let sum = 0;
for (const file of files) {
  const bytes = gzipSync(readFileSync(dist + file), { level: 9 }).length;
  sum += bytes;
  console.log(`${String(bytes).padStart(7)}  ${file}`);
}
console.log(`${String(sum).padStart(7)}  first load, gzip -9 (target ${target}, wall ${wall})`);
if (sum > wall) process.exit(1);
