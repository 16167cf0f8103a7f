import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ContinuousChecker, type ContinuousLimits, type Finding, type Pending } from "./incremental.ts";
import { checkHistory } from "./linearizability.ts";
import type { Model } from "./model.ts";
import { type RegisterInput, register, type Scalar } from "./register.ts";
import {
  automaton,
  busyRegister,
  type Happening,
  isLinearizableByBruteForce,
  observeRegister,
  play,
  randomFrom,
} from "./testing/index.ts";

const read: RegisterInput = { f: "read" };
const write = (value: Scalar): RegisterInput => ({ f: "write", value });

/** Tells a checker what happened; gives back its findings, and how many happenings it took to the first. */
function drive<State, Input, Output>(
  model: Model<State, Input, Output>,
  happenings: readonly Happening<Input, Output>[],
  limits: Partial<ContinuousLimits> = {},
) {
  const checker = new ContinuousChecker(model, limits);
  const pending = new Map<number, Pending>();
  const findings: Finding<State, Input, Output>[] = [];
  let foundAfter: number | null = null;
  happenings.forEach((happening, count) => {
    if (happening.type === "begin") {
      const { process, input, time } = happening;
      pending.set(happening.id, checker.begin({ process, key: "k", input, time }));
      return;
    }
    const begun = pending.get(happening.id);
    if (begun === undefined) throw new Error("ended before it began");
    const finding =
      happening.type === "ok" ? checker.end(begun, happening.output, happening.time) : checker[happening.type](begun);
    if (finding !== null) {
      findings.push(finding);
      foundAfter ??= count + 1;
    }
  });
  findings.push(...checker.finish());
  return { verdict: findings[0]?.verdict ?? "linearizable", findings, foundAfter, counts: checker.counts };
}

describe("when it says what", () => {
  test("a violation is found at the return that completes it, and then only counted", () => {
    const checker = new ContinuousChecker(register());
    const call = { process: 1, key: "x", time: 5 };
    expect(checker.end(checker.begin({ ...call, input: write(1) }), null, 6)).toBeNull();
    expect(checker.end(checker.begin({ ...call, input: write(2) }), null, 7)).toBeNull();
    const finding = checker.end(checker.begin({ ...call, input: read }), 1, 9);
    expect(finding).toMatchObject({ verdict: "violated", key: "x", from: 2, state: 2, placed: [] });
    expect(finding?.message).toMatchInlineSnapshot(`
      "key x is not linearizable: read -> 1 by process 1 (called 5, returned 9) fits into no order
        checked before, the last of many:
          process 1    write 1              called 5, returned 6
          process 1    write 2              called 5, returned 7
        the longest order places 0 of 1 operations, from 2 to 2:
        called before ! returned, and without a place after 2:
        ! process 1    read -> 1            called 5, returned 9"
    `);
    expect(checker.end(checker.begin({ ...call, input: read }), 1, 9)).toBeNull();
    expect(checker.finish()).toEqual([]);
    expect(checker.counts).toMatchObject({ operations: 4, checks: 3, unchecked: 1, violated: 1, undecided: 0 });
  });

  test("keys are apart", () => {
    const checker = new ContinuousChecker(register());
    const onX = checker.begin({ process: 1, key: "x", input: write(1), time: 0 });
    const onY = checker.begin({ process: 2, key: "y", input: read, time: 0 });
    expect(checker.end(onY, 1, 1)).toMatchObject({ verdict: "violated", key: "y" });
    expect(checker.end(onX, null, 1)).toBeNull();
  });

  test("a call that failed never happened", () => {
    const checker = new ContinuousChecker(register());
    expect(checker.fail(checker.begin({ process: 1, key: "x", input: write(1), time: 0 }))).toBeNull();
    expect(checker.end(checker.begin({ process: 1, key: "x", input: read, time: 1 }), 1, 2)?.verdict).toBe("violated");
  });

  test("a write of unknown outcome is remembered as long as it may still take effect, and used once", () => {
    const checker = new ContinuousChecker(register());
    const once = (input: RegisterInput, output: Scalar) =>
      checker.end(checker.begin({ process: 1, key: "x", input, time: 0 }), output, 0);
    expect(checker.unknown(checker.begin({ process: 9, key: "x", input: write("late"), time: 0 }))).toBeNull();
    for (let value = 0; value < 1000; value++) {
      expect(once(write(value), null)).toBeNull();
      expect(once(read, value)).toBeNull();
    }
    expect(once(read, "late")).toBeNull();
    expect(once(write("other"), null)).toBeNull();
    expect(once(read, "late")).toMatchObject({ verdict: "violated" });
  });

  test("what is under way at the end may have happened or not", () => {
    const checker = new ContinuousChecker(register());
    checker.begin({ process: 1, key: "x", input: write(1), time: 0 });
    expect(checker.end(checker.begin({ process: 2, key: "x", input: read, time: 1 }), 1, 2)).toBeNull();
    expect(checker.finish()).toEqual([]);
    checker.begin({ process: 3, key: "y", input: write(1), time: 3 });
    expect(checker.end(checker.begin({ process: 2, key: "y", input: read, time: 4 }), 2, 5)).toBeNull();
    expect(checker.finish()).toMatchObject([{ verdict: "violated", key: "y" }]);
  });

  test("an operation is settled once, by the checker that began it", () => {
    const checker = new ContinuousChecker(register());
    const pending = checker.begin({ process: 1, key: "x", input: read, time: 0 });
    checker.end(pending, null, 1);
    expect(() => checker.end(pending, null, 2)).toThrow(/settled twice/);
    expect(() => checker.unknown({ key: "x" })).toThrow(/not begun by this checker/);
  });
});

describe("limits", () => {
  test("too little memory is undecided, never linearizable", () => {
    const { happenings } = busyRegister(register(), { seed: 2, steps: 600, processes: 10, values: 5, unknown: 0 });
    const result = drive(register(), happenings, { configurationsMax: 20 });
    expect(result.findings).toMatchObject([{ verdict: "undecided", key: "k", limit: "configurations" }]);
    expect(result.counts.undecided).toBe(1);
  });

  test("a key that never comes to rest behind a call that never ends is undecided at the limit", () => {
    const checker = new ContinuousChecker(register(), { segmentEvents: 8, segmentOperationsMax: 64 });
    checker.begin({ process: 0, key: "x", input: write(1), time: 0 });
    const findings = [];
    for (let time = 1; time < 100; time++) {
      findings.push(checker.end(checker.begin({ process: 1, key: "x", input: read, time }), null, time));
    }
    const found = findings.filter((finding) => finding !== null);
    expect(found).toMatchObject([{ verdict: "undecided", limit: "operations" }]);
    expect(found[0]?.message).toMatch(/never came to rest/);
  });

  test("a busy key is cut, so that a violation is found soon after it happened", () => {
    const { happenings } = busyRegister(register(), { seed: 3, steps: 6000, processes: 8, values: 5, unknown: 0 });
    expect(drive(register(), happenings).verdict).toBe("linearizable");
    const reads = happenings.flatMap((happening, place) => {
      return happening.type === "ok" && happening.output !== null ? [place] : [];
    });
    const wrong = reads[Math.floor(reads.length / 2)] ?? 0;
    const changed = happenings.map((happening, place) => {
      return place === wrong && happening.type === "ok" ? { ...happening, output: 777 } : happening;
    });
    const result = drive(register(), changed);
    expect(result.verdict).toBe("violated");
    expect(result.foundAfter).toBeGreaterThan(wrong);
    expect(result.foundAfter).toBeLessThan(wrong + 600);
  });
});

describe("the verdict is that of the whole history", () => {
  const limits = fc.record({ segmentEvents: fc.integer({ min: 1, max: 12 }), endsMax: fc.constantFrom(1, 2, 4096) });
  const end = fc.oneof(
    { weight: 6, arbitrary: fc.constant("ok" as const) },
    { weight: 2, arbitrary: fc.constant("unknown" as const) },
    { weight: 1, arbitrary: fc.constant("fail" as const) },
  );

  test("of a register that lies now and then", () => {
    const input = fc.oneof(
      fc.constant(read),
      fc.nat(2).map(write),
      fc.tuple(fc.nat(2), fc.nat(2)).map(([from, to]): RegisterInput => ({ f: "cas", from, to })),
    );
    const honest = fc.integer({ min: 0, max: 7 }).map((draw) => draw > 0);
    const lie = fc.constantFrom<Scalar[]>(null, 0, 1, 2);
    const steps = fc.array(fc.record({ process: fc.nat(4), input, end, honest, lie }), { maxLength: 60 });
    fc.assert(
      fc.property(steps, limits, (list, chosen) => {
        const { operations, happenings } = play(register(), observeRegister, list);
        const whole = checkHistory(register(), operations).verdict;
        expect(drive(register(), happenings, chosen).verdict).toBe(whole);
        if (operations.length <= 8) {
          expect(whole === "linearizable").toBe(isLinearizableByBruteForce(register(), operations));
        }
      }),
      { numRuns: 4000 },
    );
  });

  test("of any automaton", () => {
    const tables = fc.integer({ min: 2, max: 4 }).chain((states) => {
      const state = fc.nat(states - 1);
      const row = fc.oneof(
        state.map((after) => Array.from({ length: states }, () => after)),
        fc.array(fc.option(state), { minLength: states, maxLength: states }),
      );
      return fc.array(row, { minLength: 1, maxLength: 5 });
    });
    const honest = fc.integer({ min: 0, max: 4 }).map((draw) => draw > 0);
    const step = fc.record({ process: fc.nat(4), input: fc.nat(4), end, honest, lie: fc.constant(null) });
    fc.assert(
      fc.property(tables, fc.array(step, { maxLength: 40 }), limits, (table, list, chosen) => {
        const model = automaton(table);
        const { operations, happenings } = play(model, () => null, list);
        const whole = checkHistory(model, operations).verdict;
        expect(drive(model, happenings, chosen).verdict).toBe(whole);
        if (operations.length <= 8)
          expect(whole === "linearizable").toBe(isLinearizableByBruteForce(model, operations));
      }),
      { numRuns: 4000 },
    );
  });

  test("of long histories with many clients", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = randomFrom(seed);
      const { operations, happenings } = busyRegister(register(), {
        seed,
        steps: 900,
        processes: 2 + Math.floor(random() * 8),
        values: 2 + Math.floor(random() * 4),
        unknown: seed % 2 === 0 ? 0 : 0.02,
      });
      const wrong = operations.findIndex(
        ({ input, reply }, place) => place > 100 && input.f === "read" && reply !== null,
      );
      const other = Math.floor(random() * 4);
      const changedOperations = operations.map((operation, place) => {
        if (place !== wrong || operation.reply === null) return operation;
        return { ...operation, reply: { ...operation.reply, output: other } };
      });
      const time = operations[wrong]?.reply?.time;
      const changedHappenings = happenings.map((happening) => {
        return happening.type === "ok" && happening.time === time ? { ...happening, output: other } : happening;
      });
      expect(drive(register(), happenings, { segmentEvents: 32 }).verdict).toBe("linearizable");
      const whole = checkHistory(register(), changedOperations).verdict;
      expect(drive(register(), changedHappenings, { segmentEvents: 32 }).verdict).toBe(whole);
    }
  }, 30_000);
});
