// What a machine can find that keeps somebody from using a page.
//
// Contrast, names, roles, order and targets by the rules of WCAG 2.2 AA. What only a person can
// judge, it does not see.
import assert from 'node:assert/strict';

import axe from 'axe-core';

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/**
 * Nothing that axe finds, in both themes, and nothing wider than the screen.
 * @param {import('./person.mjs').Person} person
 * @param {string} where
 */
export async function looks(person, where) {
  const { page } = person;
  await page.evaluate(axe.source);
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const found = await page.evaluate(async (values) => {
      const { violations } = await /** @type {any} */ (globalThis).axe.run({ runOnly: { type: 'tag', values } });
      return violations.map((/** @type {any} */ { id, nodes }) => `${id}: ${nodes.map((/** @type {any} */ { html, failureSummary }) => `${html} ${failureSummary}`).join('\n')}`);
    }, rules);
    assert.deepEqual(found, [], `${where}, ${colorScheme}`);
  }
  const wide = await page.evaluate(() => {
    const all = [document.documentElement, ...document.querySelectorAll('.log, .rooms, .dialog-body, .door')];
    return all.filter((element) => element.scrollWidth > element.clientWidth).map((element) => `${element.className} ${element.scrollWidth}`);
  });
  assert.deepEqual(wide, [], `${where}: nothing scrolls sideways`);
}
