// Rooms on bare `ws`: nothing is stored, nobody signs in, nothing is numbered beyond this process.
// Less than any chat needs, and so what a chat on Node can cost at least. Measured beside Chinwag
// by `chinwag-bench compare`.

import { createServer } from "node:http";

import { WebSocketServer } from "ws";

const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: false, maxPayload: 64 * 1024 });

/** Each room's last number and its sockets. */
const rooms = new Map();

function join(socket, name) {
  let room = rooms.get(name);
  if (room === undefined) {
    room = { seq: 0, members: new Set() };
    rooms.set(name, room);
  }
  room.members.add(socket);
  socket.on("close", () => {
    room.members.delete(socket);
    if (room.members.size === 0) {
      rooms.delete(name);
    }
  });
}

function send(socket, { req, room: name, from, key, text }) {
  const room = rooms.get(name);
  if (!room?.members.has(socket)) {
    socket.send(JSON.stringify({ type: "error", req }));
    return;
  }
  room.seq += 1;
  const ts = Date.now();
  socket.send(JSON.stringify({ type: "ack", req, seq: room.seq, ts }));
  // Encoded once for all of them.
  const event = Buffer.from(JSON.stringify({ type: "event", room: name, seq: room.seq, from, key, ts, text }));
  for (const member of room.members) {
    member.send(event, { binary: false });
  }
}

server.on("connection", (socket) => {
  socket.on("error", () => socket.terminate());
  socket.on("message", (data) => {
    const frame = JSON.parse(data);
    if (frame.type === "join") {
      join(socket, frame.room);
      socket.send(JSON.stringify({ type: "ready" }));
    } else {
      send(socket, frame);
    }
  });
});

process.on("SIGTERM", () => {
  for (const socket of server.clients) {
    socket.terminate();
  }
  http.close(() => process.exit(0));
});

http.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
  console.log(`listening on http://127.0.0.1:${http.address().port}`);
});
