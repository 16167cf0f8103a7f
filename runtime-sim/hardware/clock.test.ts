import fc from "fast-check";
import { expect, test } from "vitest";
import { HostClock, WALL_EPOCH_MS } from "./clock.ts";

const PERFECT = { wallAtZeroMs: 1_700_000_000_000, monotonicAtZeroMs: 0, rate: 1 };

const act = fc.record({
  afterUs: fc.nat({ max: 5_000_000 }),
  what: fc.constantFrom("nothing", "rate", "wall", "monotonic", "freeze", "thaw"),
  amount: fc.double({ min: 0, max: 1, noNaN: true }),
});

function apply(clock: HostClock, what: string, amount: number, nowUs: number): void {
  if (what === "rate") clock.setRate(0.9 + amount / 5, nowUs);
  else if (what === "wall") clock.jumpWall((amount - 0.5) * 1e7, nowUs);
  else if (what === "monotonic") clock.jumpMonotonic(amount * 5000);
  else if (what === "freeze") clock.freeze(nowUs + Math.floor(amount * 3_000_000), nowUs);
  else if (what === "thaw") clock.thaw(nowUs);
}

test("monotonic time never goes back, whatever happens to the clock", () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const clock = new HostClock({ ...PERFECT, rate: 1.003 });
      let nowUs = 0;
      let before = clock.monotonicMs(0);
      for (const { afterUs, what, amount } of acts) {
        nowUs += afterUs;
        const reached = clock.monotonicMs(nowUs);
        apply(clock, what, amount, nowUs);
        const after = clock.monotonicMs(nowUs);
        expect(reached).toBeGreaterThanOrEqual(before);
        expect(after).toBeGreaterThanOrEqual(reached);
        before = after;
      }
    }),
    { numRuns: 500 },
  );
});

test("the wake-up time is the first microsecond at which the clock shows the deadline", () => {
  fc.assert(
    fc.property(
      fc.array(act, { maxLength: 20 }),
      fc.double({ min: -10, max: 1e6, noNaN: true }),
      fc.nat({ max: 1000 }),
      (acts, aheadMs, laterUs) => {
        const clock = new HostClock({ ...PERFECT, monotonicAtZeroMs: 12.345, rate: 0.997 });
        let nowUs = 0;
        for (const { afterUs, what, amount } of acts) {
          nowUs += afterUs;
          apply(clock, what, amount, nowUs);
        }
        nowUs += laterUs;
        const deadlineMs = clock.monotonicMs(nowUs) + aheadMs;
        const whenUs = clock.trueUsWhen(deadlineMs, nowUs);
        expect(Number.isSafeInteger(whenUs) && whenUs >= nowUs).toBe(true);
        expect(clock.monotonicMs(whenUs)).toBeGreaterThanOrEqual(deadlineMs);
        if (whenUs > nowUs) expect(clock.monotonicMs(whenUs - 1)).toBeLessThan(deadlineMs);
      },
    ),
    { numRuns: 1000 },
  );
});

test("the wake-up time is exact where the division is off by its last bit, either way", () => {
  const clock = new HostClock({ ...PERFECT, rate: 1.025 });
  expect([Math.ceil(4100 / 1.025), clock.trueUsWhen(4.1, 0)]).toEqual([4001, 4000]);
  expect([Math.ceil(168_100 / 1.025), clock.trueUsWhen(168.1, 0)]).toEqual([164_000, 164_001]);
});

test("a perfect clock shows true time; a fast one gains its share", () => {
  const perfect = new HostClock(PERFECT);
  expect([perfect.monotonicMs(1_234_567), perfect.wallMs(1_234_567)]).toEqual([1234.567, 1_700_000_001_234]);
  const fast = new HostClock({ ...PERFECT, rate: 1.01 });
  expect([fast.monotonicMs(100_000_000), fast.wallMs(100_000_000)]).toEqual([101_000, 1_700_000_101_000]);
});

test("wall and monotonic jump apart", () => {
  const clock = new HostClock(PERFECT);
  clock.jumpWall(-60_000, 0);
  expect([clock.monotonicMs(1000), clock.wallMs(1000)]).toEqual([1, 1_699_999_940_001]);
  clock.jumpMonotonic(500);
  expect([clock.monotonicMs(1000), clock.wallMs(1000)]).toEqual([501, 1_699_999_940_001]);
  expect(() => clock.jumpMonotonic(-1)).toThrow(RangeError);
  expect(() => clock.setRate(0, 1000)).toThrow(RangeError);
});

test("both stand still while frozen, and lose that time", () => {
  const clock = new HostClock(PERFECT);
  clock.freeze(5_000_000, 1_000_000);
  clock.freeze(3_000_000, 2_000_000);
  expect(clock.isFrozen(4_999_999)).toBe(true);
  expect([clock.monotonicMs(4_999_999), clock.wallMs(4_999_999)]).toEqual([1000, 1_700_000_001_000]);
  expect(clock.trueUsWhen(1001, 4_000_000)).toBe(5_001_000);
  expect([clock.monotonicMs(6_000_000), clock.wallMs(6_000_000)]).toEqual([2000, 1_700_000_002_000]);
});

test("a freeze without end has no wake-up time until it is thawed", () => {
  const clock = new HostClock(PERFECT);
  clock.freeze(Infinity, 1_000_000);
  expect(clock.trueUsWhen(1000.001, 1_000_000)).toBe(Infinity);
  expect(clock.trueUsWhen(1000, 9_000_000)).toBe(9_000_000);
  clock.thaw(10_000_000);
  expect(clock.trueUsWhen(1000.001, 10_000_000)).toBe(10_000_001);
  expect(new HostClock(PERFECT).trueUsWhen(1e300, 0)).toBe(Infinity);
});

test("a new process gets a new origin; the wall clock and a freeze go on", () => {
  const clock = new HostClock({ ...PERFECT, rate: 1.5 });
  clock.freeze(3_000_000, 2_000_000);
  clock.restart(7, 2_500_000);
  expect([clock.monotonicMs(2_500_000), clock.monotonicMs(4_000_000)]).toEqual([7, 1507]);
  expect(clock.wallMs(4_000_000)).toBe(1_700_000_004_500);
});

test("it remembers how slow and how fast it ever was", () => {
  const clock = new HostClock(PERFECT);
  clock.setRate(1.2, 1000);
  clock.setRate(0.9, 2000);
  clock.setRate(1, 3000);
  expect([clock.slowestRate, clock.fastestRate]).toEqual([0.9, 1.2]);
  clock.freeze(5000, 4000);
  clock.jumpMonotonic(1);
  expect([clock.slowestRate, clock.fastestRate]).toEqual([0, Infinity]);
});

test("it remembers how far off its wall clock ever was, either way, also when that is put right", () => {
  const clock = new HostClock({ ...PERFECT, wallAtZeroMs: WALL_EPOCH_MS + 5 });
  expect(clock.wallErrorMaxMs(1_000_000)).toBe(5);
  clock.jumpWall(-25, 2_000_000);
  expect(clock.wallErrorMaxMs(2_000_000)).toBe(20);
  clock.jumpWall(20, 3_000_000);
  expect([clock.wallErrorMaxMs(4_000_000), clock.paceErrorMaxMs(4_000_000)]).toEqual([20, 0]);
  // Half a second, of which it gains a quarter.
  clock.setRate(1.25, 5_000_000);
  expect([clock.wallErrorMaxMs(5_500_000), clock.paceErrorMaxMs(5_500_000)]).toEqual([125, 125]);
});

test("it was furthest off at the end of a freeze, though nobody looked then", () => {
  const clock = new HostClock({ ...PERFECT, wallAtZeroMs: WALL_EPOCH_MS, rate: 1.25 });
  clock.freeze(2_000_000, 1_000_000);
  // 250 ms ahead, then 750 ms behind, and 4 s later ahead again by as much as at first.
  expect([clock.wallErrorMaxMs(6_000_000), clock.paceErrorMaxMs(6_000_000)]).toEqual([750, 750]);
});
