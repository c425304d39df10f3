// Somebody in front of a page: does what a person does, sees what a person sees.
//
// Nothing here reaches behind the page: no SDK, no store, no call into its code.
import { patienceMs } from './browser.mjs';

/** What a timeline shows of a message. @typedef {{text: string, key: string, seq: string, sending: string}} Shown */

export class Person {
  password = 'a horse, a battery, a staple';
  #refused = /** @type {string | undefined} */ (undefined);

  /**
   * @param {string} name
   * @param {import('playwright-core').BrowserContext} context
   * @param {import('playwright-core').Page} page
   */
  constructor(name, context, page) {
    this.name = name;
    this.context = context;
    this.page = page;
  }

  /**
   * @param {import('playwright-core').Browser} browser
   * @param {import('./server.mjs').Server} server
   * @param {import('./browser.mjs').Complaints} complaints
   * @param {string} name
   * @param {import('playwright-core').BrowserContextOptions} options
   */
  static async come(browser, server, complaints, name, options) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', baseURL: server.url, ...options });
    context.setDefaultTimeout(patienceMs);
    await complaints.watch(context, name);
    const page = await context.newPage();
    await page.goto('/');
    return new Person(name, context, page);
  }

  /** One more tab of the same browser: same cookie, same store. @param {string} [path] */
  async tab(path = '/') {
    const page = await this.context.newPage();
    await page.goto(path);
    return new Person(this.name, this.context, page);
  }

  /** Until the page would open without a network. */
  async canOpenOffline() {
    await this.page.evaluate(async () => void (await navigator.serviceWorker.ready));
  }

  /** @param {string} id */
  at(id) {
    return this.page.getByTestId(id);
  }

  get composer() {
    return this.page.locator('#composer');
  }

  /** Makes an account at the door. */
  async register() {
    await this.at('to-register').click();
    await this.finishRegistering();
  }

  /** The same, where the form is open already. */
  async finishRegistering() {
    await this.fillDoor('register');
    await this.at('place-name').waitFor();
  }

  async signOut() {
    await this.at('me').click();
    await this.at('me-sign-out').click();
    await this.at('sign-in-form').waitFor();
  }

  async signIn() {
    await this.fillDoor('sign-in');
    await this.at('place-name').waitFor();
  }

  /** @param {'register' | 'sign-in' | 'setup'} purpose @param {string} [password] */
  async fillDoor(purpose, password = this.password) {
    const form = this.at(`${purpose}-form`);
    await form.locator('#entry-name').fill(this.name);
    await form.locator('#entry-password').fill(password);
    await form.getByTestId('enter').click();
  }

  /**
   * One of the ways to begin: in the menu of the list, which a narrow screen shows when no room is open.
   * @param {'new-room' | 'new-message' | 'join-room'} way
   */
  async askFor(way) {
    const back = this.at('back').filter({ visible: true });
    if (await back.count()) await back.click();
    await this.connected();
    await this.at('new').click();
    await this.at(way).click();
  }

  /** Opens the direct room with somebody. @param {string} name */
  async writeTo(name) {
    await this.askFor('new-message');
    const dialog = this.at('new-message-dialog');
    await dialog.locator('#message-person').fill(name);
    await dialog.locator('button[type=submit]').click();
    await this.inRoom(name);
  }

  /** From the next connection on, the server seems to refuse what `refusedByServer` writes. */
  async canBeRefused() {
    await this.page.routeWebSocket(/\/ws$/, (page) => {
      const server = page.connectToServer();
      page.onMessage((message) => {
        const { type, req, text } = JSON.parse(String(message));
        if (type !== 'send' || text !== this.#refused) return server.send(message);
        page.send(JSON.stringify({ type: 'error', req, code: 'forbidden', message: 'you may read here', retryable: false }));
      });
    });
  }

  /** From the next connection on, the server seems to refuse a kind of command. @param {string} refused */
  async canRefuse(refused) {
    await this.page.routeWebSocket(/\/ws$/, (page) => {
      const server = page.connectToServer();
      page.onMessage((message) => {
        const { type, req } = JSON.parse(String(message));
        if (type !== refused) return server.send(message);
        page.send(JSON.stringify({ type: 'error', req, code: 'forbidden', message: 'not you', retryable: false }));
      });
    });
  }

  /** Writes what is refused for good. @param {string} text */
  async refusedByServer(text) {
    this.#refused = text;
    await this.write(text);
  }

  /** Creates a room that everybody may join, and opens it. @param {string} name @returns {Promise<string>} its id */
  async createRoom(name) {
    await this.askFor('new-room');
    const dialog = this.at('new-room-dialog');
    await dialog.locator('#room-name').fill(name);
    await dialog.locator('button[type=submit]').click();
    await this.inRoom(name);
    return this.roomId();
  }

  /** Finds a room in the directory, and joins it. @param {string} name */
  async joinRoom(name) {
    await this.askFor('join-room');
    await this.at('directory-dialog').locator('[data-join]', { hasText: name }).click();
    await this.inRoom(name);
  }

  /** Opens a room of the list. @param {string} name */
  async openRoom(name) {
    await this.page.locator('.row', { hasText: name }).click();
    await this.inRoom(name);
  }

  /** @param {string} name */
  async inRoom(name) {
    await this.at('room-name').filter({ hasText: name }).waitFor();
    await this.composer.waitFor();
  }

  roomId() {
    return new URL(this.page.url()).hash.slice('#/'.length);
  }

  /** Writes into the composer, and presses Enter. @param {string} text */
  async write(text) {
    await this.composer.fill(text);
    await this.composer.press('Enter');
  }

  /** Messages of one's own in a state. @param {'queued' | 'sending' | 'sent' | 'failed'} state */
  own(state) {
    return this.page.locator(`.own[data-sending=${state}]`);
  }

  /**
   * Waits for a tick on a message of one's own.
   * @param {string} text @param {'sent' | 'delivered' | 'read'} tick
   * @param {string} [words] what it says to those who do not see it
   */
  async tick(text, tick, words, ms = patienceMs) {
    const name = words === undefined ? '' : `[aria-label="${words}"]`;
    await this.said(text).locator(`[data-tick=${tick}]${name}`).waitFor({ timeout: ms });
  }

  /** Turns a switch of what one shows of oneself. @param {'hide_online' | 'hide_last_seen' | 'hide_receipts'} what @param {boolean} shown */
  async show(what, shown) {
    await this.at('me').click();
    await this.at('me-privacy').click();
    const button = this.at(what);
    if ((await button.getAttribute('aria-checked')) !== String(shown)) await button.click();
    await this.page.locator(`[data-testid=${what}][aria-checked=${shown}]`).waitFor();
    await this.page.keyboard.press('Escape');
    await this.at('privacy-dialog').waitFor({ state: 'detached' });
  }

  /** What a text says as soon as it stands anywhere in the page. @param {string | RegExp} text */
  async sees(text, ms = patienceMs) {
    await this.page.getByText(text).filter({ visible: true }).first().waitFor({ timeout: ms });
  }

  /** Waits for a look of the line. @param {string} look */
  async line(look, ms = patienceMs) {
    await this.page.locator(`[data-testid=line][data-line=${look}]`).first().waitFor({ timeout: ms });
  }

  /** Until the page has noticed that nobody answers. */
  async away(ms = patienceMs) {
    await this.page.locator('[data-testid=line]:not([data-line=connected])').first().waitFor({ timeout: ms });
  }

  connected(ms = patienceMs) {
    return this.line('connected', ms);
  }

  /** The messages of the open room, as they stand there. @returns {Promise<Shown[]>} */
  shown() {
    return this.page.locator('.log [data-key]:has([data-text])').evaluateAll((rows) =>
      rows.map((row) => ({
        text: row.querySelector('[data-text]')?.textContent ?? '',
        key: row.getAttribute('data-key') ?? '',
        seq: row.getAttribute('data-seq') ?? '',
        sending: row.getAttribute('data-sending') ?? '',
      })),
    );
  }

  /** Only the texts. */
  async texts() {
    return (await this.shown()).map(({ text }) => text);
  }

  /** How many stand there; cheap enough to ask often. */
  count() {
    return this.page.locator('.log [data-key]:has([data-text])').count();
  }

  /** The line of a message by what it says. @param {string} text */
  said(text) {
    return this.page.locator('.log [data-seq]').filter({ has: this.page.locator('[data-text]', { hasText: text }) }).last();
  }

  /**
   * Does something with a message, by its menu.
   * @param {string} text @param {'reply' | 'edit' | 'pin' | 'delete'} what
   */
  async act(text, what) {
    await this.openActs(text);
    await this.at(what).click();
    if (what === 'delete') await this.at('remove-dialog').getByTestId('confirm').click();
  }

  /** @param {string} text */
  async openActs(text) {
    const row = this.said(text);
    await row.hover();
    await row.getByTestId('act').click();
    await this.at('message-menu').waitFor();
  }

  /** Puts a reaction on a message, or takes it off. @param {string} text @param {string} emoji */
  async react(text, emoji) {
    await this.openActs(text);
    await this.at('message-menu').locator(`[data-emoji="${emoji}"]`).click();
  }

  /** Changes a message of one's own. @param {string} text @param {string} to */
  async change(text, to) {
    await this.act(text, 'edit');
    await this.write(to);
  }

  /** How a room stands in the list. @param {string} name @returns {Promise<{unread: number, mentions: number}>} */
  async badge(name) {
    const row = this.page.locator('.row', { hasText: name });
    const [unread, mentions] = await Promise.all([row.getAttribute('data-unread'), row.getAttribute('data-mentions')]);
    return { unread: Number(unread), mentions: Number(mentions) };
  }
}
