/**
 * Which codecs this browser plays, asked once.  An entry stands for its family's profiles at or below it, up to its
 * level (design.md §9), so the highest of each is enough; lower ones follow for browsers that stop at them.
 */

/** H.264 high, main and constrained baseline at levels 5.2, 5.1, 4.2, 4.0 and 3.1. */
const AVC_PROFILES = ["6400", "4d40", "42e0"] as const;
const AVC_LEVELS = ["34", "33", "2a", "28", "1f"] as const;
/** H.265 main 10 and main, in the high and the main tier, at levels 6, 5.1, 4 and 3.1. */
const HEVC_PROFILES = ["2.4", "1.6"] as const;
const HEVC_TIERS = ["H", "L"] as const;
const HEVC_LEVELS = ["180", "153", "120", "93"] as const;
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
  for (const profile of HEVC_PROFILES) {
    for (const tier of HEVC_TIERS) {
      const codec = HEVC_LEVELS.map((level) => `hvc1.${profile}.${tier}${level}.B0`).find((name) => supported(mimeOf(name)));
      if (codec !== undefined) offered.push(codec);
    }
  }
  offered.push(...AUDIO.filter((codec) => supported(mimeOf(codec))));
  return offered;
}
