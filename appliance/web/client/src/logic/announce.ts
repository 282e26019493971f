/** What a screen reader is told of changes: politely, and at most once per camera in 10 s (ui.md §17.5). */

const PER_CAMERA_MS = 10_000;

export class Announcer {
  readonly #last = new Map<string, { at: number; text: string }>();

  /** Whether to say this now.  The same text twice in a row is never said. */
  admit(camera: string, text: string, now: number): boolean {
    const last = this.#last.get(camera);
    if (last && (last.text === text || now - last.at < PER_CAMERA_MS)) return false;
    this.#last.set(camera, { at: now, text });
    return true;
  }

  forget(camera: string): void {
    this.#last.delete(camera);
  }
}
