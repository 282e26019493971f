// node-media-server as it comes, on ports of loopback that were chosen for it: RTMP in, FLV over WebSocket out.
// usage: node serve.cjs RTMP_PORT HTTP_PORT FOLDER; prints "ready HTTP_PORT".
const [rtmp, http, folder] = process.argv.slice(2);
console.log = () => {}; // a line a viewer; and nobody reads them
const NodeMediaServer = require("node-media-server");
const server = new NodeMediaServer({
  bind: "127.0.0.1",
  rtmp: { port: Number(rtmp), chunk_size: 60000, gop_cache: true },
  http: { port: Number(http) },
  webadmin: { enable: false },
  store: { path: folder },
  auth: { play: false, publish: false },
});
server.httpServer.httpServer.on("listening", () => process.stdout.write(`ready ${http}\n`));
server.run();
