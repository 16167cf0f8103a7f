import fc from "fast-check";
import { expect, test } from "vitest";
import type { RaftEnvironment } from "./environment.ts";
import { RaftLog } from "./log.ts";
import { GENESIS_CHAIN } from "./statements.ts";

/**
 * A digest that is good enough for tests of the log: injective, so that chains are equal exactly when histories are.
 */
const environment: RaftEnvironment = {
  peerId: "peer",
  randomUint32: () => 0,
  sign: () => "",
  verify: () => true,
  digest: (bytes) =>
    [...bytes]
      .map((byte) => byte.toString(36))
      .join(".")
      .slice(-4000),
};

function logOf(terms: readonly number[]): RaftLog {
  const log = new RaftLog(environment, { index: 0, term: 0, chain: GENESIS_CHAIN });
  for (const term of terms) log.create(term, "command", new Uint8Array([term]));
  return log;
}

test("a compacted term is unknown, not zero", () => {
  const log = logOf([1, 1, 2, 3]);
  log.compactTo(3);
  expect([0, 1, 2].map((index) => log.termAt(index))).toEqual([null, null, null]);
  expect(log.termAt(3)).toBe(2);
  expect(log.firstIndex).toBe(4);
  expect(log.lastIndex).toBe(4);
});

test("compaction changes nothing about what remains", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3), { minLength: 1, maxLength: 12 }), fc.nat(12), (steps, cut) => {
      const terms: number[] = [];
      for (const step of steps) terms.push((terms[terms.length - 1] ?? 1) + step);
      const whole = logOf(terms);
      const compacted = logOf(terms);
      compacted.compactTo(Math.min(cut, terms.length));
      for (let index = compacted.firstIndex - 1; index <= terms.length; index++) {
        expect(compacted.termAt(index)).toBe(whole.termAt(index));
        expect(compacted.chainAt(index)).toBe(whole.chainAt(index));
      }
      expect(compacted.lastIndex).toBe(whole.lastIndex);
    }),
  );
});

test("log ids compare by term first, then by index", () => {
  const log = logOf([1, 1, 2]);
  expect(log.isUpToDate(9, 1)).toBe(false);
  expect(log.isUpToDate(1, 3)).toBe(true);
  expect(log.isUpToDate(3, 2)).toBe(true);
  expect(log.isUpToDate(2, 2)).toBe(false);
});

test("a truncation takes durability back with it", () => {
  const log = logOf([1, 1, 1]);
  log.stableTo(3);
  log.truncateAfter(1);
  expect(log.stableIndex).toBe(1);
  expect(log.lastIndex).toBe(1);
});

test("an entry follows only from the very history it was made in", () => {
  const a = logOf([1, 1]);
  const b = logOf([1, 2]);
  const entry = a.create(3, "command", new Uint8Array([7]));
  expect(a.follows(a.chainAt(2) ?? "", entry)).toBe(true);
  expect(b.follows(b.chainAt(2) ?? "", entry)).toBe(false);
  expect(a.follows(a.chainAt(2) ?? "", { ...entry, data: new Uint8Array([8]) })).toBe(false);
});

test("back-tracking skips the terms that cannot agree", () => {
  const log = logOf([1, 1, 2, 2, 2, 5]);
  expect(log.lastAtOrBefore(6, 3)).toEqual({ index: 5, term: 2 });
  expect(log.lastAtOrBefore(4, 1)).toEqual({ index: 2, term: 1 });
  expect(log.lastAtOrBefore(100, 9)).toEqual({ index: 6, term: 5 });
});
