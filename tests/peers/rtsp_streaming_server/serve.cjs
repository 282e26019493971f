// The server as a test wants it: serve.cjs PUBLISH_PORT PLAY_PORT FIRST_RTP_PORT; prints "ready".
const { default: RtspServer } = require("rtsp-streaming-server");

const [serverPort, clientPort, rtpPortStart] = process.argv.slice(2).map(Number);
new RtspServer({ serverPort, clientPort, rtpPortStart, rtpPortCount: 100 }).start().then(
    () => console.log("ready"),
    (error) => {
        console.error(error);
        process.exit(1);
    },
);
