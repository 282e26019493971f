/**
 * The commands of a playback session.  Each has a number, and what answers an older one than the newest that media
 * answers is thrown away.  One picture that was asked for is on its way at a time.
 */

/** A picture that was asked for: of which instant (UTC ticks), and since when (`performance.now()`). */
export interface Flight {
  readonly id: number;
  readonly at: number;
  readonly since: number;
}

/** A picture that does not come within this long does not hold up the next one asked for … */
const FLIGHT_MS = 2500;
/** … and what was not answered at all within this long is asked for again. */
const UNANSWERED_MS = 6000;

export class Commands {
  readonly #send: (command: Record<string, unknown>) => void;
  #id = 0;
  /** Media of an older command is thrown away. */
  #mediaId = 0;
  #answered = false;
  #flight: Flight | null = null;

  constructor(send: (command: Record<string, unknown>) => void) {
    this.#send = send;
  }

  /** The picture that is on its way. */
  get flight(): Flight | null {
    return this.#flight;
  }

  /** Media that comes answers the newest command. */
  get answered(): boolean {
    return this.#answered;
  }

  /** Its number. */
  give(command: Record<string, unknown>): number {
    this.#id += 1;
    this.#send({ ...command, id: this.#id });
    return this.#id;
  }

  /** Media answers this one, which is about an instant. */
  await(id: number, at: number): void {
    this.#mediaId = id;
    this.#answered = false;
    this.#flight = { id, at, since: performance.now() };
  }

  /** Whether what bears this number is about what was asked for last. */
  counts(id: number | null): boolean {
    return id === null || id >= this.#mediaId;
  }

  /** It was announced what comes. */
  answer(): void {
    this.#answered = true;
  }

  /** What comes is not wanted. */
  refuse(): void {
    this.#answered = false;
  }

  /** The picture that is on its way is of another instant than was thought. */
  redirect(at: number): void {
    if (this.#flight) this.#flight = { ...this.#flight, at };
  }

  /** No picture is on its way any more; the one that was. */
  land(): Flight | null {
    const flight = this.#flight;
    this.#flight = null;
    return flight;
  }

  /** Whether one is so late that it holds nothing up any more. */
  late(now: number): boolean {
    return this.#flight !== null && now - this.#flight.since > FLIGHT_MS;
  }

  /** Whether it was not even announced for so long that it has to be asked for again. */
  lost(now: number): boolean {
    return this.#flight !== null && !this.#answered && now - this.#flight.since > UNANSWERED_MS;
  }
}
