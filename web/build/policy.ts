// What the page may load and run. The same text stands in index.html (so that it holds however
// the files are served) and belongs in the `Content-Security-Policy` header of the server, which
// adds `frame-ancestors 'none'`: a <meta> element cannot say that.
export const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  // Pictures of people and rooms are fetched with the token, and shown from memory.
  "img-src 'self' blob:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  // The only string that ever becomes code is the address of the worker: src/worker/register.ts.
  'trusted-types chinwag',
  "require-trusted-types-for 'script'",
].join('; ');
