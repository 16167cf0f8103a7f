/**
 * Virtual time. One synchronous loop takes event after event, in order of time and then of scheduling. The trace hash
 * covers every event that is carried out.
 */
import { EVENT, SimEvent } from "./event.ts";
import { TraceHash } from "./hash.ts";
import { EventQueue } from "./queue.ts";

/** More events than this at one instant: time would never go on. */
const INSTANT_EVENTS_MAX = 1_000_000;

export class EventLoop {
  readonly hash = new TraceHash();
  /** Virtual time, whole microseconds. */
  nowUs = 0;
  /** Events carried out so far; while one is carried out, its number. */
  events = 0;
  readonly #queue = new EventQueue<SimEvent>(1024);
  #eventsAtThisInstant = 0;

  /** @throws RangeError for a time that has passed: time never goes back. */
  schedule(atUs: number, event: SimEvent): void {
    if (atUs < this.nowUs) throw new RangeError(`an event is scheduled for ${atUs} µs at ${this.nowUs} µs`);
    this.#queue.push(atUs, event);
  }

  /** Calls back later. Counts as an event. */
  after(delayUs: number, action: () => void): void {
    const event = new SimEvent(EVENT.call, null, 0);
    event.call = action;
    this.#queue.push(this.nowUs + Math.max(0, Math.ceil(delayUs)), event);
  }

  /**
   * Takes the next event and sets the time to it. Null when there is none before `untilUs`; then time stands at
   * `untilUs`.
   */
  next(untilUs: number): SimEvent | null {
    const timeUs = this.#queue.peekTimeUs();
    if (timeUs > untilUs) {
      this.nowUs = Math.max(this.nowUs, untilUs);
      return null;
    }
    const event = this.#queue.pop();
    if (event === undefined) return null;
    this.#eventsAtThisInstant = timeUs === this.nowUs ? this.#eventsAtThisInstant + 1 : 0;
    if (this.#eventsAtThisInstant > INSTANT_EVENTS_MAX) {
      throw new RangeError(`${INSTANT_EVENTS_MAX} events at ${timeUs} µs: somebody keeps asking for more at once`);
    }
    this.nowUs = timeUs;
    return event;
  }

  /**
   * Counts an event that is carried out now. One that is out of date, such as a deadline that has moved, is not
   * counted.
   */
  begin(event: SimEvent): void {
    this.events += 1;
    const { hash } = this;
    hash.mix(event.member === null ? event.kind : event.kind | (event.member.id << 4));
    hash.mix(this.nowUs);
  }
}
