/** Short clips for the fake server, made once with ffmpeg: fMP4 with a fragment per picture, as Fanal sends it. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import path from "node:path";

export interface Fragment {
  readonly data: Buffer;
  /** Decode time in seconds, and where it stands in `data` as 32 or 64 bits. */
  readonly time: number;
  readonly track: number;
  readonly at: number;
  readonly wide: boolean;
  readonly ticks: bigint;
  readonly key: boolean;
}

export interface Clip {
  readonly init: Buffer;
  readonly fragments: readonly Fragment[];
  readonly seconds: number;
  readonly mime: string;
  readonly timescales: ReadonlyMap<number, number>;
}

const SECONDS = 10;
const SCENES = ["testsrc2=r=25", "mandelbrot=rate=25:maxiter=400", "gradients=rate=25:speed=0.02", "life=rate=25:mold=10:ratio=0.1:death_color=#203040:life_color=#c8e0d8"] as const;
export const SCENE_COUNT = SCENES.length;

function make(file: string, scene: number, width: number, height: number, sound: boolean): void {
  const part = `${file}.part.mp4`;
  const source = SCENES[scene % SCENES.length] ?? SCENES[0];
  const args = ["-v", "error", "-y", "-f", "lavfi", "-i", `${source}:s=${width}x${height}`];
  if (sound) args.push("-f", "lavfi", "-i", "sine=frequency=330:beep_factor=4:sample_rate=48000");
  args.push("-t", String(SECONDS), "-vf", `drawtext=text='%{n}':fontsize=h/8:x=w-tw-20:y=20:fontcolor=white`);
  args.push("-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-pix_fmt", "yuv420p", "-g", "50", "-bf", "0", "-b:v", width > 800 ? "2M" : "400k");
  args.push(...(sound ? ["-c:a", "aac", "-b:a", "64k", "-shortest"] : ["-an"]));
  args.push("-video_track_timescale", "90000", "-movflags", "empty_moov+default_base_moof+frag_every_frame", part);
  execFileSync("ffmpeg", args, { stdio: ["ignore", "ignore", "inherit"] });
  renameSync(part, file);
}

function* boxes(data: Buffer, from = 0, to = data.length): Generator<{ type: string; start: number; body: number; end: number }> {
  for (let at = from; at < to; ) {
    const size = data.readUInt32BE(at);
    yield { type: data.toString("latin1", at + 4, at + 8), start: at, body: at + 8, end: at + size };
    at += size;
  }
}

function find(data: Buffer, from: number, to: number, ...types: string[]): { body: number; end: number } {
  let range = { body: from, end: to };
  for (const type of types) {
    const box = [...boxes(data, range.body, range.end)].find((b) => b.type === type);
    if (!box) throw new Error(`no ${type}`);
    range = box;
  }
  return range;
}

function read(file: string): Clip {
  const data = readFileSync(file);
  const top = [...boxes(data)];
  const moov = top.find((b) => b.type === "moov");
  if (!moov) throw new Error("no moov");
  const timescales = new Map<number, number>();
  let codec = "";
  for (const trak of [...boxes(data, moov.body, moov.end)].filter((b) => b.type === "trak")) {
    const tkhd = find(data, trak.body, trak.end, "tkhd");
    const mdhd = find(data, trak.body, trak.end, "mdia", "mdhd");
    timescales.set(data.readUInt32BE(tkhd.body + 12), data.readUInt32BE(mdhd.body + 12));
    const avcc = data.subarray(trak.body, trak.end).indexOf("avcC");
    if (avcc >= 0) codec = `avc1.${data.toString("hex", trak.body + avcc + 5, trak.body + avcc + 8)}`;
  }
  const init = data.subarray(0, moov.end);
  const fragments: Fragment[] = [];
  top.forEach((box, i) => {
    const next = top[i + 1];
    if (box.type !== "moof" || next?.type !== "mdat") return;
    const piece = Buffer.from(data.subarray(box.start, next.end));
    const traf = find(piece, 0, piece.length, "moof", "traf");
    const tfhd = find(piece, traf.body, traf.end, "tfhd");
    const tfdt = find(piece, traf.body, traf.end, "tfdt");
    const trun = find(piece, traf.body, traf.end, "trun");
    const track = piece.readUInt32BE(tfhd.body + 4);
    const wide = piece[tfdt.body] === 1;
    const ticks = wide ? piece.readBigUInt64BE(tfdt.body + 4) : BigInt(piece.readUInt32BE(tfdt.body + 4));
    const first = (piece.readUInt32BE(trun.body) & 4) !== 0;
    const key = first && (piece.readUInt32BE(trun.body + 12) & 0x10000) === 0;
    fragments.push({ data: piece, track, at: tfdt.body + 4, wide, ticks, time: Number(ticks) / (timescales.get(track) ?? 1), key });
  });
  fragments.sort((a, b) => a.time - b.time);
  const sound = timescales.size > 1 ? ", mp4a.40.2" : "";
  return { init, fragments, seconds: SECONDS, mime: `video/mp4; codecs="${codec}${sound}"`, timescales };
}

/** The clip of a scene; made if it is not there yet.  Throws Error where ffmpeg is missing. */
export function clip(scene: number, stream: "main" | "sub", sound: boolean): Clip {
  const folder = path.resolve(import.meta.dirname, "media");
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${scene}-${stream}${sound ? "-sound" : ""}.mp4`);
  if (!existsSync(file)) make(file, scene, stream === "main" ? 1280 : 640, stream === "main" ? 720 : 360, sound);
  return read(file);
}
