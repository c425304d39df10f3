// The protocol without our SDK: what the server itself says stands in a room.
//
// A socket in a bare page of the browser, by docs/protocol.md. It decodes nothing but JSON.

/** One line as the server has it. @typedef {{seq: number, key: string, from: [string, number], kind: string, body: {text: string}}} Line */

/**
 * The whole history of a room, oldest first.
 * @param {import('playwright-core').Browser} browser
 * @param {import('./server.mjs').Server} server
 * @param {{name: string, password: string}} person
 * @param {string} room
 * @returns {Promise<Line[]>}
 */
export async function history(browser, server, person, room) {
  const { access_token: token } = await server.post('login', { ...person, cookie: false });
  const page = await browser.newPage();
  try {
    await page.goto(`${server.url}/livez`);
    const lines = await page.evaluate(readAll, { url: `ws://127.0.0.1:${server.port}/ws`, token, room });
    return lines;
  } finally {
    await page.close();
  }
}

/**
 * Runs in the browser.
 * @param {{url: string, token: string, room: string}} from
 * @returns {Promise<any[]>}
 */
function readAll({ url, token, room }) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, 'chinwag.v1.json');
    /** @type {any[]} */
    let lines = [];
    let req = 0;
    const ask = (/** @type {number | undefined} */ before) =>
      socket.send(JSON.stringify({ type: 'history', req: (req += 1), room, limit: 50, ...(before ? { before } : {}) }));
    socket.onopen = () => socket.send(JSON.stringify({ type: 'hello', v: 1, token }));
    socket.onclose = (event) => reject(new Error(`closed with ${event.code}`));
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.type === 'caught_up') ask(undefined);
      if (frame.type === 'error') reject(new Error(data));
      if (frame.type !== 'page') return;
      lines = [...frame.messages, ...lines];
      if (frame.before) return ask(frame.before);
      socket.onclose = null;
      socket.close();
      resolve(lines);
    };
  });
}
