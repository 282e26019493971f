/**
 * How the picture is asked for: directly in the codecs that this browser plays, or transcoded where it plays none.
 *
 * A browser may promise a codec and then not decode it.  After a second attempt without a single picture it is not
 * offered for a while, for longer each time; with no codec left, transcoded pictures are asked for.
 */

/** Why this page, and not the server, decided that the picture comes transcoded or in another codec. */
export type OwnReason = "no_media" | "not_decoded";

export interface Offered {
  readonly mode: "auto" | "transcoded";
  readonly codecs: readonly string[];
  readonly own: OwnReason | null;
}

const ATTEMPTS = 2;
const WITHHELD_MS = 60_000;
const WITHHELD_AT_MOST_MS = 16 * WITHHELD_MS;

interface Withheld {
  readonly until: number;
  readonly forMs: number;
}

export class Offer {
  readonly #codecs: readonly string[];
  readonly #direct: boolean;
  #undecoded = 0;
  /** By codec family.  What is over stays, so that the next time is longer. */
  readonly #withheld = new Map<string, Withheld>();

  /** `direct`: the browser has a way to play video at all. */
  constructor(codecs: readonly string[], direct: boolean) {
    this.#codecs = codecs;
    this.#direct = direct;
  }

  at(now: number): Offered {
    if (!this.#direct) return { mode: "transcoded", codecs: [], own: "no_media" };
    const codecs = this.#codecs.filter((codec) => (this.#withheld.get(codec.split(".")[0] ?? "")?.until ?? 0) <= now);
    if (codecs.length === this.#codecs.length) return { mode: "auto", codecs, own: null };
    const video = codecs.some((codec) => !codec.startsWith("mp4a"));
    return { mode: video ? "auto" : "transcoded", codecs: video ? codecs : [], own: "not_decoded" };
  }

  /** Nothing came of a stream in this codec family. */
  undecoded(family: string, now: number): void {
    this.#undecoded += 1;
    if (this.#undecoded >= ATTEMPTS) this.refuse(family, now);
  }

  /** The browser does not take this codec family at all. */
  refuse(family: string, now: number): void {
    this.#undecoded = 0;
    const before = this.#withheld.get(family)?.forMs ?? WITHHELD_MS / 2;
    const forMs = Math.min(WITHHELD_AT_MOST_MS, before * 2);
    this.#withheld.set(family, { until: now + forMs, forMs });
  }

  /** A stream showed a picture. */
  decoded(family: string): void {
    this.#undecoded = 0;
    this.#withheld.delete(family);
  }

  /** Somebody wants it tried again now. */
  forgive(): void {
    this.#undecoded = 0;
    this.#withheld.clear();
  }
}
