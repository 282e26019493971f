/**
 * Which codecs this browser plays, asked once.  An entry stands for its family's profiles at or below it, up to its
 * level (design.md §9), so the highest of each is enough; lower ones follow for browsers that stop at them.
 */

/** H.264 high, main and constrained baseline at levels 5.2, 5.1, 4.2, 4.0 and 3.1. */
const AVC_PROFILES = ["6400", "4d40", "42e0"] as const;
const AVC_LEVELS = ["34", "33", "2a", "28", "1f"] as const;
/** H.265 main at levels 6, 5.1 and 4. */
const HEVC = ["hvc1.1.6.L180.B0", "hvc1.1.6.L153.B0", "hvc1.1.6.L120.B0"] as const;
const AUDIO = ["mp4a.40.2"] as const;

export function mimeOf(codec: string): string {
  return `${codec.startsWith("mp4a") ? "audio" : "video"}/mp4; codecs="${codec}"`;
}

export function playableCodecs(supported: (mime: string) => boolean): string[] {
  const offered: string[] = [];
  for (const profile of AVC_PROFILES) {
    const level = AVC_LEVELS.find((l) => supported(mimeOf(`avc1.${profile}${l}`)));
    if (level !== undefined) offered.push(`avc1.${profile}${level}`);
  }
  const hevc = HEVC.find((codec) => supported(mimeOf(codec)));
  if (hevc !== undefined) offered.push(hevc);
  offered.push(...AUDIO.filter((codec) => supported(mimeOf(codec))));
  return offered;
}
