// Registers the service worker through the one Trusted Types policy of the page.

interface Policy {
  createScriptURL(url: string): string;
}
interface TrustedTypes {
  createPolicy(name: string, rules: Policy): Policy;
}

const address = '/sw.js';

/** Starts the worker. Without one the page works, but does not open offline. */
export function registerWorker(): void {
  if (!('serviceWorker' in navigator) || !import.meta.env.PROD) return;
  const types = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
  const rules: Policy = {
    createScriptURL(url) {
      if (url !== address) throw new TypeError(`not a script of this page: ${url}`);
      return url;
    },
  };
  const url = (types?.createPolicy('chinwag', rules) ?? rules).createScriptURL(address);
  navigator.serviceWorker.register(url).catch((error: unknown) => {
    console.warn('The page will not open offline:', error);
  });
}
