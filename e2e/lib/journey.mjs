// A journey: a fresh server, a fresh browser, people; whatever happens, everything is ended.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Complaints, launch, picture } from './browser.mjs';
import { Person } from './person.mjs';
import { Server } from './server.mjs';

/** A journey takes far less, also on a busy machine. */
const walkMs = 480_000;

/**
 * What a journey is given.
 * @typedef {object} Given
 * @property {import('playwright-core').Browser} browser
 * @property {Server} server
 * @property {Complaints} complaints
 * @property {(name: string, options?: import('playwright-core').BrowserContextOptions) => Promise<Person>} somebody a person with a browser of their own, who has opened the page
 * @property {import('node:test').TestContext} t
 */

/**
 * @param {string} title
 * @param {{name: string, settings?: string[], expected?: import('./browser.mjs').Expected[]}} options
 *   `name` names log and pictures; `expected`: complaints that belong to it
 * @param {(given: Given) => Promise<void>} walk
 */
export function journey(title, { name, settings = [], expected = [] }, walk) {
  // Ended by the runner, the process would leave no picture and no reason: the walk has an end of its own.
  test(title, { timeout: walkMs }, async (t) => {
    const server = await Server.fresh(name, settings);
    const browser = await launch();
    const complaints = new Complaints();
    const somebody = (/** @type {string} */ who, options = {}) => Person.come(browser, server, complaints, who, options);
    try {
      await walk({ browser, server, complaints, somebody, t });
      assert.deepEqual(complaints.unexpected(...expected), [], 'nothing to complain of in any console');
    } catch (error) {
      await picture(browser, name);
      for (const what of complaints.unexpected()) t.diagnostic(what);
      throw error;
    } finally {
      await browser.close();
      await server.stop();
    }
  });
}

/**
 * Waits until something holds.
 * @param {string} what says what was waited for
 * @param {() => Promise<boolean> | boolean} holds
 */
export async function until(what, holds, ms = 15_000) {
  const end = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
