/** What a browser's media elements do, and the MP4 that they are given, for tests. */

export function u32(...values: number[]): number[] {
  return values.flatMap((v) => [(v >>> 24) & 255, (v >>> 16) & 255, (v >>> 8) & 255, v & 255]);
}

export function box(type: string, ...body: number[][]): number[] {
  const flat = body.flat();
  return [...u32(flat.length + 8), ...ascii(type), ...flat];
}

export const ascii = (s: string): number[] => [...s].map((c) => c.charCodeAt(0));

/** With one track of 90 000 ticks a second. */
export function initSegment(track: number, handler: "vide" | "soun"): ArrayBuffer {
  return new Uint8Array([
    ...box("ftyp", ascii("iso6")),
    ...box("moov", box("trak", box("tkhd", u32(0, 0, 0, track)), box("mdia", box("mdhd", u32(0, 0, 0, 90000)), box("hdlr", u32(0, 0), ascii(handler))))),
  ]).buffer;
}

/** One sample at `seconds` of the run; `flags`: ISO/IEC 14496-12 §8.8.3.1. */
export function fragmentAt(track: number, seconds: number, duration: number, flags: number): ArrayBuffer {
  const ticks = Math.round(seconds * 90000);
  return new Uint8Array([
    ...box(
      "moof",
      box("traf", box("tfhd", u32(0x020000, track)), box("tfdt", u32(0x01000000, Math.floor(ticks / 2 ** 32), ticks >>> 0)), box("trun", u32(0x000701, 1, 0, duration, 4, flags))),
    ),
    ...box("mdat", [0]),
  ]).buffer;
}

export const SYNC = 0x02000000;
export const NOT_SYNC = 0x01010000;

export class FakeBuffer extends EventTarget {
  updating = false;
  timestampOffset = 0;
  readonly log: string[] = [];
  list: { start: number; end: number }[] = [];
  full = false;
  get buffered(): TimeRanges {
    return { length: this.list.length, start: (i: number) => this.list[i]!.start, end: (i: number) => this.list[i]!.end } as TimeRanges;
  }
  appendBuffer(data: Uint8Array): void {
    if (this.updating) throw new DOMException("busy", "InvalidStateError");
    if (this.full) throw new DOMException("full", "QuotaExceededError");
    this.updating = true;
    this.log.push(`append ${data.byteLength} at ${this.timestampOffset}`);
  }
  remove(from: number, to: number): void {
    if (this.updating) throw new DOMException("busy", "InvalidStateError");
    this.updating = true;
    this.full = false;
    this.log.push(`remove ${from} ${to}`);
  }
  changeType(mime: string): void {
    this.log.push(`type ${mime}`);
  }
  done(): void {
    this.updating = false;
    this.dispatchEvent(new Event("updateend"));
  }
}

export class FakeSource extends EventTarget {
  readyState = "closed";
  readonly buffers: FakeBuffer[] = [];
  addSourceBuffer(): FakeBuffer {
    const buffer = new FakeBuffer();
    this.buffers.push(buffer);
    return buffer;
  }
  open(): void {
    this.readyState = "open";
    this.dispatchEvent(new Event("sourceopen"));
  }
}

/** What `<audio>` and `<video>` share. */
export class FakeElement extends EventTarget {
  currentTime = 0;
  playbackRate = 1;
  paused = true;
  muted = true;
  seeking = false;
  error = null;
  src = "";
  plays = 0;
  refusal: DOMException | null = null;
  constructor(readonly from = new FakeSource()) {
    super();
  }
  get buffered(): TimeRanges {
    return this.from.buffers[0]?.buffered ?? ({ length: 0 } as TimeRanges);
  }
  getAttribute(): string {
    return this.src;
  }
  removeAttribute(): void {
    this.src = "";
  }
  play(): Promise<void> {
    this.plays += 1;
    if (this.refusal) return Promise.reject(this.refusal);
    this.paused = false;
    return Promise.resolve();
  }
  pause(): void {
    this.paused = true;
  }
  load(): void {}
  remove(): void {}
}
