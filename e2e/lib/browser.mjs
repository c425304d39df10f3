// The browser, and what its pages complain of.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { output } from './server.mjs';

/** Debian's browser, unless another one is named. */
const executablePath = process.env['CHINWAG_CHROMIUM'] ?? '/usr/bin/chromium';
/** A page that has not done something by then does not do it. */
export const patienceMs = 15_000;

export function launch() {
  // As root there is no sandbox to be had; nothing but our own server is opened.
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-component-update', '--disable-sync'];
  // A signal ends the process (server.mjs), and the browser with it; else the browser alone would go, and the journey wait for it.
  return chromium.launch({ executablePath, args, handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false });
}

/** What may stand in the console, because the browser writes it whatever a page does. */
const expected = {
  /** The server was killed: the browser notes each request that found nobody. */
  away: /net::ERR_(CONNECTION_(REFUSED|RESET|CLOSED)|EMPTY_RESPONSE|INTERNET_DISCONNECTED|SOCKET_NOT_CONNECTED)|WebSocket connection to .* failed/,
  /** The server said no to somebody: a wrong password, an ended session, a name that is taken. */
  refusals: /the server responded with a status of (400|401|403|404|409)/,
};

/** @typedef {keyof typeof expected} Expected */

/** Collects what pages complain of. */
export class Complaints {
  /** @type {string[]} */
  #heard = [];

  /** @param {import('playwright-core').BrowserContext} context @param {string} who */
  async watch(context, who) {
    const hear = (/** @type {string} */ what) => this.#heard.push(`${who}: ${what}`);
    await context.exposeBinding('policyViolated', (_source, what) => hear(`policy: ${what}`));
    await context.addInitScript(() => {
      addEventListener('securitypolicyviolation', (event) => {
        /** @type {any} */ (globalThis).policyViolated(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
      });
    });
    context.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) hear(`${message.type()}: ${message.text()} ${message.location().url}`);
    });
    context.on('weberror', (error) => hear(`thrown: ${error.error().stack ?? error.error()}`));
  }

  /** What nobody expected. @param {Expected[]} kinds */
  unexpected(...kinds) {
    return this.#heard.filter((what) => !kinds.some((kind) => expected[kind].test(what)));
  }
}

/**
 * Keeps a picture of each page.
 * @param {import('playwright-core').Browser} browser
 * @param {string} name
 */
export async function picture(browser, name) {
  mkdirSync(output, { recursive: true });
  const pages = browser.contexts().flatMap((context) => context.pages());
  for (const [index, page] of pages.entries()) {
    // A picture that cannot be taken must not hide why it was wanted.
    await page.screenshot({ path: join(output, `${name}-${index}.png`), timeout: 5_000 }).catch(String);
  }
}
