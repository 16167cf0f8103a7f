import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Stream, Streams } from "./random.ts";

function draws(stream: Stream, count: number): number[] {
  return Array.from({ length: count }, () => stream.nextUint32());
}

/** Pearson's statistic for equally likely bins. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

describe("streams", () => {
  test("the same seed and name give the same sequence, whatever other streams do", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.string(), fc.array(fc.string()), (seed, name, others) => {
        const alone = draws(new Streams(seed).stream(name), 20);
        const streams = new Streams(seed);
        const crowded: number[] = [];
        for (let i = 0; i < 20; i += 1) {
          for (const other of others) if (other !== name) streams.stream(other).nextUint32();
          crowded.push(streams.stream(name).nextUint32());
        }
        expect(crowded).toEqual(alone);
      }),
    );
  });

  test("other seeds and other names give other sequences", () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 200; seed += 1) {
      for (const name of ["network", "disk/1", "disk/2"]) seen.add(draws(new Streams(seed).stream(name), 2).join());
    }
    expect(seen.size).toBe(600);
  });

  test("the sequence never changes: replays of old seeds depend on it", () => {
    expect(draws(new Streams(12345).stream("network"), 4)).toEqual([799918769, 1696350895, 829825178, 2425430682]);
    const stream = new Streams(12345).stream("disk/0");
    expect([stream.exponential(1000), stream.integer(0, 1e15), stream.integer(1, 6)]).toEqual([
      386.49900086580584, 486718028691562, 5,
    ]);
  });

  test("the first draws of consecutive seeds are uniform and do not follow each other", () => {
    const first: number[] = new Array(64).fill(0);
    const pairs: number[] = new Array(64).fill(0);
    let before = 0;
    for (let seed = 0; seed < 6400; seed += 1) {
      const unit = new Streams(seed).stream("network").nextUnit();
      first[Math.floor(unit * 64)] = (first[Math.floor(unit * 64)] ?? 0) + 1;
      const pair = 8 * Math.floor(unit * 8) + Math.floor(before * 8);
      pairs[pair] = (pairs[pair] ?? 0) + 1;
      before = unit;
    }
    // 63 degrees of freedom: 103 is the 0.1 % point.
    expect(chiSquare(first)).toBeLessThan(103);
    expect(chiSquare(pairs)).toBeLessThan(103);
  });

  test("a seed that is no integer is refused", () => {
    expect(() => new Streams(1.5)).toThrow(RangeError);
    expect(() => new Streams(2 ** 53)).toThrow(RangeError);
  });
});

describe("draws", () => {
  test("integers stay within their bounds, and small spans reach both", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.maxSafeInteger(), fc.integer(), (x, y, seed) => {
        const [lo, hi] = [Math.min(x, y), Math.max(x, y)];
        fc.pre(hi - lo < 2 ** 53);
        const stream = new Streams(seed).stream("s");
        for (let i = 0; i < 20; i += 1) {
          const drawn = stream.integer(lo, hi);
          expect(Number.isSafeInteger(drawn) && drawn >= lo && drawn <= hi).toBe(true);
        }
      }),
    );
    const stream = new Streams(1).stream("s");
    expect(new Set(Array.from({ length: 100 }, () => stream.integer(-1, 1)))).toEqual(new Set([-1, 0, 1]));
    expect(() => stream.integer(3, 2)).toThrow(RangeError);
  });

  test("exponential draws are minus the logarithm of one unit draw", () => {
    const units = new Streams(7).stream("s");
    const drawn = new Streams(7).stream("s");
    for (let i = 0; i < 10_000; i += 1) {
      const expected = -250 * Math.log(1 - units.nextUnit());
      expect(Math.abs(drawn.exponential(250) - expected)).toBeLessThan(1e-6);
    }
  });

  test("the mean of exponential draws is the mean asked for", () => {
    const stream = new Streams(7).stream("s");
    let sum = 0;
    for (let i = 0; i < 100_000; i += 1) sum += stream.exponential(20);
    expect(sum / 100_000).toBeGreaterThan(19.7);
    expect(sum / 100_000).toBeLessThan(20.3);
  });

  test("certain and impossible chances draw nothing", () => {
    const stream = new Streams(7).stream("s");
    expect([stream.chance(0), stream.chance(1), stream.chance(-1), stream.chance(2)]).toEqual([
      false,
      true,
      false,
      true,
    ]);
    expect(stream.nextUint32()).toBe(new Streams(7).stream("s").nextUint32());
    let hits = 0;
    for (let i = 0; i < 100_000; i += 1) if (stream.chance(0.3)) hits += 1;
    expect(Math.abs(hits / 100_000 - 0.3)).toBeLessThan(0.006);
  });

  test("an item is picked as often as its weight says, and one without weight never", () => {
    const stream = new Streams(7).stream("s");
    const items = [0, 1, 2, 5].map((weight) => ({ weight }));
    const picks = new Map<number, number>();
    for (let i = 0; i < 8000; i += 1) {
      const { weight } = stream.pickWeighted(items);
      picks.set(weight, (picks.get(weight) ?? 0) + 1);
    }
    expect([...picks.keys()].sort()).toEqual([1, 2, 5]);
    for (const [weight, count] of picks) expect(Math.abs(count / 8000 - weight / 8)).toBeLessThan(0.02);
    expect(() => stream.pickWeighted([])).toThrow(RangeError);
    expect(() => stream.pickWeighted([{ weight: 0 }])).toThrow(RangeError);
  });

  test("every item is picked alike, and every order shuffled alike", () => {
    const stream = new Streams(7).stream("s");
    const picks = new Map<string, number>();
    const orders = new Map<string, number>();
    for (let i = 0; i < 6000; i += 1) {
      const picked = stream.pick(["a", "b", "c"]);
      picks.set(picked, (picks.get(picked) ?? 0) + 1);
      const order = stream.shuffle(["a", "b", "c"]).join("");
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect(picks.size).toBe(3);
    expect(chiSquare([...picks.values()])).toBeLessThan(13.8);
    expect(orders.size).toBe(6);
    expect(chiSquare([...orders.values()])).toBeLessThan(20.5);
    expect(() => stream.pick([])).toThrow(RangeError);
  });
});
