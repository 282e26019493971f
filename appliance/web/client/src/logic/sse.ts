/**
 * Server-Sent Events, text in, events out (WHATWG HTML §9.2.6).  Used instead of `EventSource`, which hides the comments
 * that show that the connection lives, and the status that shows why it was refused.
 */

export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

const MOST = 1 << 20;

export class EventParser {
  #rest = "";
  #event = "";
  #data: string[] = [];
  #size = 0;

  /** Events that are complete with this text.  Throws RangeError when one grows beyond 1 MiB. */
  push(chunk: string): ServerEvent[] {
    let text = this.#rest + chunk;
    // a CR at the very end may be half of a CRLF: leave it for the next chunk
    const held = text.endsWith("\r") ? "\r" : "";
    if (held) text = text.slice(0, -1);
    const lines = text.split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? "") + held;
    if (this.#rest.length + this.#size > MOST) throw new RangeError("an event is longer than 1 MiB");

    const events: ServerEvent[] = [];
    for (const line of lines) {
      if (line === "") {
        if (this.#data.length > 0) events.push({ event: this.#event || "message", data: this.#data.join("\n") });
        this.#event = "";
        this.#data = [];
        this.#size = 0;
        continue;
      }
      if (line.startsWith(":")) continue;
      const colon = line.indexOf(":");
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "event") this.#event = value;
      if (field === "data") {
        this.#data.push(value);
        this.#size += value.length;
        if (this.#size > MOST) throw new RangeError("an event is longer than 1 MiB");
      }
    }
    return events;
  }
}
