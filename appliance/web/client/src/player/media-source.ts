/** The browser's way to play video as it comes: Media Source Extensions, or the managed kind where only that exists (iOS). */

export interface MediaSupport {
  /** False where there is no way to play video; transcoded pictures can still be shown. */
  readonly available: boolean;
  readonly managed: boolean;
  supported(mime: string): boolean;
  create(): MediaSource;
}

interface MediaSourceClass {
  new (): MediaSource;
  isTypeSupported(mime: string): boolean;
}

export function mediaSupport(scope: typeof globalThis): MediaSupport {
  const classes = scope as unknown as { MediaSource?: MediaSourceClass; ManagedMediaSource?: MediaSourceClass };
  const managed = classes.ManagedMediaSource;
  const chosen = managed ?? classes.MediaSource;
  return {
    available: chosen !== undefined,
    managed: managed !== undefined,
    supported: (mime) => chosen?.isTypeSupported(mime) ?? false,
    create: () => {
      if (!chosen) throw new Error("no Media Source Extensions");
      return new chosen();
    },
  };
}
