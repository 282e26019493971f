/**
 * Reads what the player needs from fMP4 messages (ISO 14496-12): the tracks of an init segment, and per fragment each
 * track's decode time and whether decoding can start there.  Bytes from a server are checked like a stranger's: what
 * does not hold together gives null, never an exception.
 */

export interface Track {
  readonly id: number;
  readonly video: boolean;
  /** Ticks per second. */
  readonly timescale: number;
}

export interface TrackFragment {
  readonly track: number;
  /** Decode time in the track's ticks. */
  readonly decodeTime: number;
  /** In ticks; 0 when the fragment leaves it to defaults. */
  readonly duration: number;
  readonly samples: number;
  readonly sync: boolean;
}

/** A picture of a fragment, in the track's ticks. */
export interface Sample {
  /** When it is shown, counted as decode times are. */
  readonly at: number;
  readonly duration: number;
}

interface Box {
  readonly type: string;
  readonly body: DataView;
}

const MOST_BOXES = 1000;

function boxes(view: DataView): Box[] | null {
  const found: Box[] = [];
  let at = 0;
  while (at < view.byteLength) {
    if (view.byteLength - at < 8 || found.length >= MOST_BOXES) return null;
    let size = view.getUint32(at);
    let header = 8;
    if (size === 1) {
      if (view.byteLength - at < 16) return null;
      size = view.getUint32(at + 8) * 2 ** 32 + view.getUint32(at + 12);
      header = 16;
    } else if (size === 0) {
      size = view.byteLength - at;
    }
    if (size < header || size > view.byteLength - at) return null;
    const type = String.fromCharCode(...[4, 5, 6, 7].map((i) => view.getUint8(at + i)));
    found.push({ type, body: new DataView(view.buffer, view.byteOffset + at + header, size - header) });
    at += size;
  }
  return found;
}

function inside(list: readonly Box[] | null, type: string): Box[] | null {
  const box = list?.find((b) => b.type === type);
  return box ? boxes(box.body) : null;
}

function view(data: ArrayBuffer): DataView {
  return new DataView(data);
}

export type Kind = "init" | "fragment" | "unknown";

/** What a binary message holds, by the type of its first box. */
export function kindOf(data: ArrayBuffer): Kind {
  if (data.byteLength < 8) return "unknown";
  const type = String.fromCharCode(...new Uint8Array(data, 4, 4));
  if (type === "ftyp" || type === "moov") return "init";
  return type === "moof" || type === "styp" || type === "emsg" || type === "prft" ? "fragment" : "unknown";
}

function guarded<T>(read: () => T | null): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return null; // a box shorter than its fields
    throw error;
  }
}

/** The tracks of an init segment, or null if it is not one. */
export function readInit(data: ArrayBuffer): Track[] | null {
  return guarded(() => {
    const moov = inside(boxes(view(data)), "moov");
    if (!moov) return null;
    const tracks: Track[] = [];
    for (const trak of moov.filter((b) => b.type === "trak")) {
      const parts = boxes(trak.body);
      const tkhd = parts?.find((b) => b.type === "tkhd")?.body;
      const media = inside(parts, "mdia");
      const mdhd = media?.find((b) => b.type === "mdhd")?.body;
      const hdlr = media?.find((b) => b.type === "hdlr")?.body;
      if (!tkhd || !mdhd || !hdlr) return null;
      const id = tkhd.getUint32(tkhd.getUint8(0) === 1 ? 20 : 12);
      const timescale = mdhd.getUint32(mdhd.getUint8(0) === 1 ? 20 : 12);
      if (timescale === 0) return null;
      tracks.push({ id, timescale, video: hdlr.getUint32(8) === 0x76696465 }); // "vide"
    }
    return tracks.length > 0 ? tracks : null;
  });
}

const NOT_SYNC = 0x00010000;

type Each = (track: number, sample: Sample) => void;

function readTraf(traf: DataView, each?: Each): TrackFragment | null {
  const parts = boxes(traf);
  const tfhd = parts?.find((b) => b.type === "tfhd")?.body;
  const tfdt = parts?.find((b) => b.type === "tfdt")?.body;
  const truns = parts?.filter((b) => b.type === "trun") ?? [];
  if (!tfhd || !tfdt) return null;

  const has = tfhd.getUint32(0) & 0xffffff;
  const track = tfhd.getUint32(4);
  let at = 8 + (has & 0x1 ? 8 : 0) + (has & 0x2 ? 4 : 0);
  let defaultDuration = 0;
  let defaultFlags = 0;
  if (has & 0x8) {
    defaultDuration = tfhd.getUint32(at);
    at += 4;
  }
  if (has & 0x10) at += 4;
  if (has & 0x20) defaultFlags = tfhd.getUint32(at);

  const decodeTime = tfdt.getUint8(0) === 1 ? tfdt.getUint32(4) * 2 ** 32 + tfdt.getUint32(8) : tfdt.getUint32(4);

  let samples = 0;
  let duration = 0;
  let sync: boolean | null = null;
  for (const { body: trun } of truns) {
    const flags = trun.getUint32(0) & 0xffffff;
    const count = trun.getUint32(4);
    let p = 8 + (flags & 0x1 ? 4 : 0);
    let first: number | null = null;
    if (flags & 0x4) {
      first = trun.getUint32(p);
      p += 4;
    }
    const width = (flags & 0x100 ? 4 : 0) + (flags & 0x200 ? 4 : 0) + (flags & 0x400 ? 4 : 0) + (flags & 0x800 ? 4 : 0);
    if (p + count * width > trun.byteLength) return null;
    if (sync === null && count > 0) {
      const flagsAt = p + (flags & 0x100 ? 4 : 0) + (flags & 0x200 ? 4 : 0);
      sync = ((first ?? (flags & 0x400 ? trun.getUint32(flagsAt) : defaultFlags)) & NOT_SYNC) === 0;
    }
    samples += count;
    if (each) {
      const shiftAt = p + width - 4; // the composition offset comes last
      for (let i = 0; i < count; i++) {
        const own = flags & 0x100 ? trun.getUint32(p + i * width) : defaultDuration;
        const shift = flags & 0x800 ? trun.getInt32(shiftAt + i * width) : 0;
        each(track, { at: decodeTime + duration + shift, duration: own });
        duration += own;
      }
    } else if (flags & 0x100) for (let i = 0; i < count; i++) duration += trun.getUint32(p + i * width);
    else duration += count * defaultDuration;
  }
  return { track, decodeTime, duration, samples, sync: sync ?? false };
}

/** The track fragments of one message, or null if it is not a fragment.  `each` is told of every sample. */
export function readFragment(data: ArrayBuffer, each?: Each): TrackFragment[] | null {
  return guarded(() => {
    const moof = inside(boxes(view(data)), "moof");
    if (!moof) return null;
    const found: TrackFragment[] = [];
    for (const { body } of moof.filter((b) => b.type === "traf")) {
      const fragment = readTraf(body, each);
      if (!fragment) return null;
      found.push(fragment);
    }
    return found.length > 0 ? found : null;
  });
}
