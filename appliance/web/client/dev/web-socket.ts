/** The server's side of RFC 6455, as much as the fake server needs. */

import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

const MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export class ServerSocket {
  #buffer = Buffer.alloc(0);
  onText: (text: string) => void = () => undefined;
  onClose: () => void = () => undefined;

  constructor(request: IncomingMessage, private readonly stream: Duplex) {
    const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}${MAGIC}`).digest("base64");
    stream.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    stream.on("data", (data: Buffer) => this.#receive(data));
    stream.on("close", () => this.onClose());
    stream.on("error", () => stream.destroy());
  }

  get backlog(): number {
    return this.stream.writableLength;
  }

  send(data: Buffer | string): void {
    const body = typeof data === "string" ? Buffer.from(data) : data;
    const opcode = typeof data === "string" ? 1 : 2;
    this.#frame(opcode, body);
  }

  close(code: number): void {
    const body = Buffer.alloc(2);
    body.writeUInt16BE(code);
    this.#frame(8, body);
    this.stream.end();
  }

  destroy(): void {
    this.stream.destroy();
  }

  #frame(opcode: number, body: Buffer): void {
    if (!this.stream.writable) return;
    const head = Buffer.alloc(body.length < 126 ? 2 : body.length < 65536 ? 4 : 10);
    head[0] = 0x80 | opcode;
    if (body.length < 126) head[1] = body.length;
    else if (body.length < 65536) {
      head[1] = 126;
      head.writeUInt16BE(body.length, 2);
    } else {
      head[1] = 127;
      head.writeBigUInt64BE(BigInt(body.length), 2);
    }
    this.stream.write(Buffer.concat([head, body]));
  }

  #receive(data: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, data]);
    for (;;) {
      if (this.#buffer.length < 6) return;
      const opcode = (this.#buffer[0] ?? 0) & 15;
      let size = (this.#buffer[1] ?? 0) & 127;
      let at = 2;
      if (size === 126) {
        size = this.#buffer.readUInt16BE(2);
        at = 4;
      }
      if (size === 127 || size > 65536) return this.close(1009);
      if (this.#buffer.length < at + 4 + size) return;
      const mask = this.#buffer.subarray(at, at + 4);
      const body = Buffer.from(this.#buffer.subarray(at + 4, at + 4 + size)).map((b, i) => b ^ (mask[i % 4] ?? 0));
      this.#buffer = this.#buffer.subarray(at + 4 + size);
      if (opcode === 1) this.onText(Buffer.from(body).toString());
      if (opcode === 8) this.stream.end();
    }
  }
}
