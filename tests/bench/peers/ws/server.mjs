// The chat as one writes it with Node and ws: for every message, one send per client.
//
// Usage: node server.mjs PORT

import { WebSocket, WebSocketServer } from "ws";

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]) });
let everConnected = 0;

server.on("connection", (socket) => {
  const name = `user${everConnected++}`;
  // Without a listener the failure of one connection would be the end of the process.
  socket.on("error", () => socket.terminate());
  socket.on("message", (data, isBinary) => {
    if (isBinary) return;
    const text = `[${name}]: ${data}`;
    for (const client of server.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(text);
    }
  });
  socket.send(`You are connected! There are ${server.clients.size} users here.`);
});

server.on("listening", () => console.log(`listening on port ${server.address().port}`));
