// A real server: its own process, port and data, which a journey may kill and start again.
//
// Knows nothing of browsers. Lives as long as a journey; its log stays in e2e/output.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
export const output = join(root, 'e2e/output');

/** A server that has not said its address by then will not. */
const startMs = 20_000;
/**
 * Ports are taken from below the range of outgoing connections: while the server is down, a page
 * that dials a port inside of it can be given that very port, and then talks to itself.
 */
const ports = { from: 20_000, to: 32_000 };

/** The program under test. */
function program() {
  const path = process.env['CHINWAG_BIN'] ?? join(root, 'target/debug/chinwag');
  if (!existsSync(path)) throw new Error(`${path} is missing: cargo build, or name the program by CHINWAG_BIN`);
  return path;
}

/** A port that nobody listens on. */
async function freePort() {
  for (;;) {
    const port = ports.from + Math.floor(Math.random() * (ports.to - ports.from));
    const probe = createServer();
    const free = await new Promise((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

export class Server {
  /** How often it was killed with SIGKILL. */
  kills = 0;
  /** The link that makes the first administrator, while there is none. */
  setupLink = '';
  #child = /** @type {import('node:child_process').ChildProcess | undefined} */ (undefined);
  #log;

  /**
   * @param {string} name names the log
   * @param {number} port
   * @param {string[]} settings each `section.key=value`
   */
  constructor(name, port, settings) {
    mkdirSync(output, { recursive: true });
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.data = mkdtempSync(join(tmpdir(), 'chinwag-e2e-'));
    this.settings = settings;
    this.#log = createWriteStream(join(output, `${name}-server.log`));
  }

  /**
   * A fresh server that answers.
   * @param {string} name
   * @param {string[]} [settings]
   */
  static async fresh(name, settings = []) {
    const server = new Server(name, await freePort(), settings);
    await server.start();
    return server;
  }

  /** Starts it on the same port and data as before. */
  async start() {
    const options = ['serve', '--data', this.data, '--listen', `127.0.0.1:${this.port}`];
    for (const setting of this.settings) options.push('--set', setting);
    // Its settings come from here alone: the server refuses CHINWAG_ variables it does not know.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CHINWAG_')));
    const child = spawn(program(), options, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    child.stderr.pipe(this.#log, { end: false });
    let said = '';
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no address within ${startMs} ms; it said: ${said}`)), startMs);
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}; its log is in ${output}`)));
      child.stdout.on('data', (/** @type {Buffer} */ bytes) => {
        this.#log.write(bytes);
        said += String(bytes);
        // The greeting is one write, and ends with an empty line.
        if (!said.includes(`Open     ${this.url}`) || !/\n\s*\n$/.test(said)) return;
        clearTimeout(timer);
        resolve(undefined);
      });
    });
    child.removeAllListeners('exit');
    this.setupLink = /http\S+#setup=\S+/.exec(said)?.[0] ?? '';
  }

  /** Stops reading and answering, but stays connected: whatever is sent now is on its way for good. */
  freeze() {
    this.#child?.kill('SIGSTOP');
  }

  /** `kill -9`: nothing is written, nobody is told. Fails unless a running server died of it, and nobody answers. */
  async kill() {
    const child = this.#child;
    await this.#end('SIGKILL');
    assert.equal(child?.signalCode, 'SIGKILL', 'the server was running, and died of the signal');
    await assert.rejects(fetch(`${this.url}/livez`), 'nobody answers any more');
    this.kills += 1;
  }

  /** Ends it for good. */
  async stop() {
    await this.#end('SIGKILL');
    this.#log.end();
    rmSync(this.data, { recursive: true, force: true });
  }

  /** @param {NodeJS.Signals} signal */
  async #end(signal) {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  /**
   * Asks the account API.
   * @param {string} path
   * @param {object} body
   * @param {string} [token]
   * @returns {Promise<any>}
   */
  async post(path, body, token) {
    const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) };
    const answer = await fetch(`${this.url}/api/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }
}
