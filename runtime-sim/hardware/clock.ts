/**
 * A host's clocks. One oscillator counts microseconds, at `rate`, and stands still while frozen. The monotonic clock
 * and the wall clock are that count plus an offset each, so that either can jump alone.
 *
 * Rounding: true time is a whole number of microseconds. So is the count: the fraction is cut off whenever it is read,
 * and lost for good (less than a microsecond) when the rate changes or a freeze begins or ends. `monotonicMs` is the
 * count divided by 1000, `wallMs` that rounded down to a whole millisecond.
 *
 * Calls come in order of true time. A change of the clock changes when a monotonic time will be reached: ask
 * `trueUsWhen` again after each.
 */

/** True time zero, in milliseconds since 1970: 2026-01-01. */
export const WALL_EPOCH_MS = 1_767_225_600_000;

export interface ClockSettings {
  /** What the wall clock shows at true time zero, in milliseconds since 1970. */
  readonly wallAtZeroMs: number;
  /** What the monotonic clock shows at true time zero. */
  readonly monotonicAtZeroMs: number;
  /** Clock seconds per true second, above 0: 1.01 gains 1 %. */
  readonly rate: number;
}

export class HostClock {
  #rate: number;
  /** The count was `#countUs` at true time `#sinceUs`, and advances from then on. In the future while frozen. */
  #sinceUs = 0;
  #countUs = 0;
  #monotonicOffsetUs: number;
  #wallOffsetUs: number;
  #slowestRate: number;
  #fastestRate: number;
  /** See `wallErrorMaxMs` and `paceErrorMaxMs`. */
  #wallErrorMaxUs = 0;
  #paceErrorMaxUs = 0;

  constructor(settings: ClockSettings) {
    this.#rate = checkedRate(settings.rate);
    this.#slowestRate = this.#rate;
    this.#fastestRate = this.#rate;
    this.#monotonicOffsetUs = Math.round(settings.monotonicAtZeroMs * 1000);
    this.#wallOffsetUs = Math.round(settings.wallAtZeroMs * 1000);
  }

  get rate(): number {
    return this.#rate;
  }

  /** The lowest rate at which it ever ran; 0 when it ever stood still. */
  get slowestRate(): number {
    return this.#slowestRate;
  }

  /** The highest rate at which it ever ran; Infinity when its monotonic clock ever jumped. */
  get fastestRate(): number {
    return this.#fastestRate;
  }

  /** Milliseconds, to the microsecond. Never goes back between two `restart`s. */
  monotonicMs(trueUs: number): number {
    return (this.#count(trueUs) + this.#monotonicOffsetUs) / 1000;
  }

  /** Whole milliseconds since 1970. */
  wallMs(trueUs: number): number {
    return Math.floor((this.#count(trueUs) + this.#wallOffsetUs) / 1000);
  }

  /**
   * The most that the wall clock has ever been off true time, either way. Its error changes evenly between two changes
   * of the clock, so it is looked at when the clock changes, and now.
   */
  wallErrorMaxMs(nowUs: number): number {
    this.#noteErrors(nowUs);
    return this.#wallErrorMaxUs / 1000;
  }

  /** The most that the host's oscillator has ever gained or lost: the same without what the wall clock jumped. */
  paceErrorMaxMs(nowUs: number): number {
    this.#noteErrors(nowUs);
    return this.#paceErrorMaxUs / 1000;
  }

  /**
   * The first whole microsecond of true time, `nowUs` or later, at which `monotonicMs` is reached; Infinity while
   * frozen without end. The end of a freeze is taken into account when it is known.
   */
  trueUsWhen(monotonicMs: number, nowUs: number): number {
    if (this.monotonicMs(nowUs) >= monotonicMs) return nowUs;
    const missingUs = monotonicMs * 1000 - this.#monotonicOffsetUs - this.#countUs;
    let trueUs = Math.max(nowUs, this.#sinceUs + Math.ceil(missingUs / this.#rate));
    // Beyond that, adding a microsecond changes nothing.
    if (!(trueUs < Number.MAX_SAFE_INTEGER / 2)) return Infinity;
    // The division may be off by the last bit; the clock itself decides.
    while (trueUs > nowUs && this.monotonicMs(trueUs - 1) >= monotonicMs) trueUs -= 1;
    while (this.monotonicMs(trueUs) < monotonicMs) trueUs += 1;
    return trueUs;
  }

  /**
   * A new process: its monotonic clock starts at `monotonicMs`, whatever the one before showed. Freeze and drift are
   * the host's and stay.
   */
  restart(monotonicMs: number, nowUs: number): void {
    this.#monotonicOffsetUs = Math.round(monotonicMs * 1000) - this.#count(nowUs);
  }

  setRate(rate: number, nowUs: number): void {
    checkedRate(rate);
    this.#noteErrors(nowUs);
    if (nowUs > this.#sinceUs) this.#rebase(nowUs);
    this.#rate = rate;
    this.#slowestRate = Math.min(this.#slowestRate, rate);
    this.#fastestRate = Math.max(this.#fastestRate, rate);
  }

  /** Moves the wall clock forward, or back when negative. */
  jumpWall(deltaMs: number, nowUs: number): void {
    this.#noteErrors(nowUs);
    this.#wallOffsetUs += Math.round(deltaMs * 1000);
    this.#noteErrors(nowUs);
  }

  /** Moves the monotonic clock forward by 0 or more. */
  jumpMonotonic(forwardMs: number): void {
    if (!(forwardMs >= 0)) throw new RangeError(`a monotonic clock cannot jump by ${forwardMs} ms`);
    this.#monotonicOffsetUs += Math.round(forwardMs * 1000);
    if (forwardMs > 0) this.#fastestRate = Infinity;
  }

  /**
   * Both clocks stand still until then, or until `thaw`; `untilUs` may be Infinity. Of two overlapping freezes the
   * longer holds.
   */
  freeze(untilUs: number, nowUs: number): void {
    this.#noteErrors(nowUs);
    if (nowUs > this.#sinceUs) this.#rebase(nowUs);
    this.#sinceUs = Math.max(this.#sinceUs, untilUs);
    this.#slowestRate = 0;
  }

  /** Ends every freeze now. */
  thaw(nowUs: number): void {
    this.#noteErrors(nowUs);
    if (this.#sinceUs > nowUs) this.#sinceUs = nowUs;
  }

  /** When a freeze ends; past: there is none. */
  get frozenUntilUs(): number {
    return this.#sinceUs;
  }

  isFrozen(nowUs: number): boolean {
    return this.#sinceUs > nowUs;
  }

  #noteErrors(nowUs: number): void {
    // A freeze may have ended in between.
    if (this.#sinceUs < nowUs) this.#noteErrorsAt(this.#sinceUs);
    this.#noteErrorsAt(nowUs);
  }

  #noteErrorsAt(trueUs: number): void {
    const gainedUs = this.#count(trueUs) - trueUs;
    this.#paceErrorMaxUs = Math.max(this.#paceErrorMaxUs, Math.abs(gainedUs));
    const errorUs = Math.abs(gainedUs + this.#wallOffsetUs - WALL_EPOCH_MS * 1000);
    this.#wallErrorMaxUs = Math.max(this.#wallErrorMaxUs, errorUs);
  }

  #count(trueUs: number): number {
    const elapsedUs = trueUs - this.#sinceUs;
    return elapsedUs > 0 ? Math.floor(this.#countUs + elapsedUs * this.#rate) : this.#countUs;
  }

  #rebase(nowUs: number): void {
    this.#countUs = this.#count(nowUs);
    this.#sinceUs = nowUs;
  }
}

function checkedRate(rate: number): number {
  if (!(rate > 0 && rate < Infinity)) throw new RangeError(`a clock's rate must be above 0, not ${rate}`);
  return rate;
}
