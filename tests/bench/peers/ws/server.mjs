// The chat as one writes it with Node and ws: for every message, one send per client in the room, which is a path.
//
// Usage: node server.mjs PORT

import { WebSocket, WebSocketServer } from "ws";

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]) });
const rooms = new Map();

function enter(path, socket) {
  if (!rooms.has(path)) rooms.set(path, { members: new Set(), everConnected: 0 });
  const room = rooms.get(path);
  room.members.add(socket);
  socket.on("close", () => {
    room.members.delete(socket);
    if (room.members.size === 0) rooms.delete(path);
  });
  return room;
}

server.on("connection", (socket, request) => {
  const room = enter(request.url, socket);
  const name = `user${room.everConnected++}`;
  // Without a listener the failure of one connection would be the end of the process.
  socket.on("error", () => socket.terminate());
  socket.on("message", (data, isBinary) => {
    if (isBinary) return;
    const text = `[${name}]: ${data}`;
    for (const client of room.members) {
      if (client.readyState === WebSocket.OPEN) client.send(text);
    }
  });
  socket.send(`You are connected! There are ${room.members.size} users here.`);
});

server.on("listening", () => console.log(`listening on port ${server.address().port}`));
