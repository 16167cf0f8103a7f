import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkHistory } from "./linearizability.ts";
import type { Model, Operation } from "./model.ts";
import { type RegisterInput, register, type Scalar } from "./register.ts";
import {
  automaton,
  busyRegister,
  isLinearizableByBruteForce,
  observeRegister,
  type ProcessStep,
  play,
} from "./testing/index.ts";

type RegisterOperation = Operation<RegisterInput, Scalar>;

/** One operation, drawn: process, what, from when, to when (null: outcome unknown), and what a read saw. */
function operation(
  process: number,
  input: RegisterInput,
  from: number,
  to: number | null,
  output: Scalar = null,
  key = "x",
): RegisterOperation {
  return { process, key, input, index: from, time: from, reply: to === null ? null : { output, index: to, time: to } };
}
const read: RegisterInput = { f: "read" };
const write = (value: Scalar): RegisterInput => ({ f: "write", value });
const cas = (from: Scalar, to: Scalar): RegisterInput => ({ f: "cas", from, to });
const verdict = (operations: RegisterOperation[]) => checkHistory(register(), operations).verdict;

describe("histories a register can have", () => {
  test("nothing happened", () => {
    expect(checkHistory(register(), [])).toMatchObject({ verdict: "linearizable", keys: 0, operations: 0 });
  });

  test("a read before any write sees null", () => {
    expect(verdict([operation(0, read, 0, 1, null)])).toBe("linearizable");
  });

  test("a read during a write sees the old value or the new one, whichever way two reads overlap it", () => {
    const during = operation(0, write(1), 0, 10);
    expect(verdict([during, operation(1, read, 1, 2, null)])).toBe("linearizable");
    expect(verdict([during, operation(1, read, 1, 2, 1)])).toBe("linearizable");
    expect(verdict([during, operation(1, read, 1, 2, null), operation(2, read, 3, 4, 1)])).toBe("linearizable");
  });

  test("a return and a call at the same instant are concurrent", () => {
    expect(verdict([operation(0, write(1), 0, 5), operation(1, read, 5, 6, null)])).toBe("linearizable");
  });

  test("the order of the list does not matter, the indexes do", () => {
    expect(verdict([operation(1, read, 2, 3, 1), operation(0, write(1), 0, 1)])).toBe("linearizable");
  });

  test("two writes hidden by a third", () => {
    const writes = [operation(0, write(1), 0, 10), operation(1, write(2), 0, 10), operation(2, write(3), 0, 10)];
    expect(verdict([...writes, operation(3, read, 11, 12, 2)])).toBe("linearizable");
  });

  test("a write of unknown outcome takes effect long afterwards", () => {
    expect(
      verdict([
        operation(0, write(1), 0, null),
        operation(1, write(2), 1, 2),
        operation(1, read, 3, 4, 2),
        operation(1, read, 5, 6, 1),
      ]),
    ).toBe("linearizable");
  });

  test("a write of unknown outcome never takes effect", () => {
    expect(verdict([operation(0, write(1), 0, null), operation(1, read, 100, 101, null)])).toBe("linearizable");
  });

  test("a read of unknown outcome says nothing", () => {
    expect(verdict([operation(0, read, 0, null), operation(1, write(1), 1, 2)])).toBe("linearizable");
  });

  test("a compare-and-set of unknown outcome explains what follows", () => {
    expect(
      verdict([operation(0, write(1), 0, 1), operation(1, cas(1, 2), 2, null), operation(2, cas(2, 3), 10, 11)]),
    ).toBe("linearizable");
  });
});

describe("histories no register can have", () => {
  test("stale read: the message names the write that was missed", () => {
    const stale = operation(2, read, 25, 31, 1);
    const result = checkHistory(register(), [
      operation(0, write(1), 0, 10),
      operation(1, write(2), 11, 20),
      stale,
      operation(0, read, 40, 41, 2),
    ]);
    expect(result.verdict).toBe("violated");
    const [violation] = result.violations;
    expect(violation?.blocked).toBe(stale);
    expect(violation?.unplaced).toEqual([stale]);
    expect(violation?.state).toBe(2);
    expect(violation?.placed.map(({ input }) => input)).toEqual([write(1), write(2)]);
    expect(violation?.message).toMatchInlineSnapshot(`
      "key x is not linearizable: read -> 1 by process 2 (called 25, returned 31) fits into no order
        the longest order places 2 of 4 operations, from null to 2:
          process 0    write 1              called 0, returned 10
          process 1    write 2              called 11, returned 20
        called before ! returned, and without a place after 2:
        ! process 2    read -> 1            called 25, returned 31"
    `);
  });

  test("lost update: two compare-and-sets succeed from the same value", () => {
    const result = checkHistory(register(), [
      operation(0, write(1), 0, 1),
      operation(1, cas(1, 2), 2, 10),
      operation(2, cas(1, 3), 3, 11),
    ]);
    expect(result.verdict).toBe("violated");
    expect(result.violations[0]?.message).toMatch(/cas 1 -> [23] by process [12]/);
    expect(result.violations[0]?.unplaced).toHaveLength(1);
  });

  test("split brain: two sides each read their own write, for ever", () => {
    expect(
      verdict([
        operation(0, write("left"), 0, 1),
        operation(1, write("right"), 0, 1),
        operation(0, read, 2, 3, "left"),
        operation(1, read, 4, 5, "right"),
      ]),
    ).toBe("violated");
  });

  test("time runs backwards: two reads during one write see new, then old", () => {
    expect(verdict([operation(0, write(1), 0, 10), operation(1, read, 1, 2, 1), operation(2, read, 3, 4, null)])).toBe(
      "violated",
    );
  });

  test("a write of unknown outcome is seen before it was called", () => {
    expect(verdict([operation(1, read, 0, 1, 1), operation(0, write(1), 2, null)])).toBe("violated");
  });

  test("a write of unknown outcome takes effect twice", () => {
    expect(
      verdict([
        operation(0, write(1), 0, null),
        operation(1, read, 1, 2, 1),
        operation(1, write(2), 3, 4),
        operation(1, read, 5, 6, 1),
      ]),
    ).toBe("violated");
  });

  test("a value from nowhere; true is not 1, and the text 1 is not the number 1", () => {
    expect(verdict([operation(0, write(1), 0, 1), operation(0, read, 2, 3, true)])).toBe("violated");
    expect(verdict([operation(0, write(1), 0, 1), operation(0, read, 2, 3, "1")])).toBe("violated");
  });

  test("only the keys at fault are named", () => {
    const result = checkHistory(register(), [
      operation(0, write(1), 0, 1, null, "good"),
      operation(0, read, 2, 3, 1, "bad"),
      operation(0, read, 4, 5, 1, "good"),
    ]);
    expect(result).toMatchObject({ verdict: "violated", keys: 2, operations: 3 });
    expect(result.violations.map(({ key }) => key)).toEqual(["bad"]);
  });

  test("an operation that returns before it was called is refused", () => {
    expect(() => verdict([operation(0, read, 5, 4, null)])).toThrow(/return cannot come before its call/);
  });
});

test("out of memory is undecided, never linearizable", () => {
  const { operations } = busyRegister(register(), { seed: 1, steps: 900, processes: 20, values: 5, unknown: 0 });
  const result = checkHistory(register(), operations, { configurationsMax: 50 });
  expect(result).toMatchObject({ verdict: "undecided", violations: [] });
  expect(result.undecided[0]).toMatchObject({ key: "k", limit: "configurations" });
  expect(result.undecided[0]?.message).toMatch(/limit of 50 configurations .* raise it/);
});

describe("against every order tried one by one", () => {
  const inputs = fc.oneof(
    fc.constant(read),
    fc.nat(2).map(write),
    fc.tuple(fc.nat(2), fc.nat(2)).map(([from, to]) => cas(from, to)),
  );

  function stepsOf<Input, Output>(
    input: fc.Arbitrary<Input>,
    lie: fc.Arbitrary<Output>,
    honest: fc.Arbitrary<boolean>,
  ) {
    const end = fc.oneof(
      { weight: 6, arbitrary: fc.constant("ok" as const) },
      { weight: 2, arbitrary: fc.constant("unknown" as const) },
      { weight: 1, arbitrary: fc.constant("fail" as const) },
    );
    return fc.array(fc.record({ process: fc.nat(4), input, end, honest, lie }), { maxLength: 24 });
  }

  /** Whether every operation of `order` may come where it is, and all before it. */
  function expectLegal<State, Input, Output>(
    model: Model<State, Input, Output>,
    order: readonly Operation<Input, Output>[],
  ) {
    let state = model.initial;
    order.forEach((placed, place) => {
      const step = model.step(state, placed.input, placed.reply);
      expect(step.ok).toBe(true);
      if (step.ok) state = step.state;
      for (const later of order.slice(place))
        expect(later.reply?.index ?? placed.index).toBeGreaterThanOrEqual(placed.index);
    });
    return state;
  }

  function compare<State, Input, Output>(
    model: Model<State, Input, Output>,
    operations: readonly Operation<Input, Output>[],
  ) {
    if (operations.length > 9) return;
    const result = checkHistory(model, operations);
    expect(result.verdict).toBe(isLinearizableByBruteForce(model, operations) ? "linearizable" : "violated");
    for (const { placed, state } of result.violations) {
      expect(model.stateKey(expectLegal(model, placed))).toBe(model.stateKey(state));
    }
  }

  test("a register that works is linearizable, however its calls overlap", () => {
    const steps = stepsOf(inputs, fc.constant<Scalar>(null), fc.constant(true)).map((list) =>
      list.map((step): ProcessStep<RegisterInput, Scalar> => ({ ...step, end: step.end === "fail" ? "ok" : step.end })),
    );
    fc.assert(
      fc.property(steps, (list) => {
        const { operations } = play(register(), observeRegister, list);
        expect(checkHistory(register(), operations).verdict).toBe("linearizable");
      }),
      { numRuns: 2000 },
    );
  });

  test("a register that lies now and then", () => {
    const lie = fc.constantFrom<Scalar[]>(null, 0, 1, 2);
    const honest = fc.integer({ min: 0, max: 4 }).map((draw) => draw > 0);
    fc.assert(
      fc.property(stepsOf(inputs, lie, honest), (list) => {
        compare(register(), play(register(), observeRegister, list).operations);
      }),
      { numRuns: 4000 },
    );
  });

  test("any automaton, whatever its operations observe, overwrite or refuse", () => {
    const tables = fc.integer({ min: 2, max: 4 }).chain((states) => {
      const state = fc.nat(states - 1);
      const row = fc.oneof(
        state.map((after) => Array.from({ length: states }, () => after)),
        fc
          .array(fc.boolean(), { minLength: states, maxLength: states })
          .map((allowed) => allowed.map((isAllowed, same) => (isAllowed ? same : null))),
        fc.array(fc.option(state), { minLength: states, maxLength: states }),
      );
      return fc.array(row, { minLength: 1, maxLength: 5 });
    });
    const honest = fc.integer({ min: 0, max: 3 }).map((draw) => draw > 0);
    fc.assert(
      fc.property(tables, stepsOf(fc.nat(4), fc.constant(null), honest), (table, list) => {
        compare(automaton(table), play(automaton(table), () => null, list).operations);
      }),
      { numRuns: 4000 },
    );
  });
});

describe("a thousand operations of twenty clients on one register", () => {
  const valueFromNowhere = 777;
  const unknownShares = [0, 0.05];

  test.each(unknownShares)(
    "are decided in seconds, with %d of outcomes unknown",
    (unknown) => {
      for (let seed = 1; seed <= 3; seed++) {
        const { operations } = busyRegister(register(), { seed, steps: 4500, processes: 20, values: 5, unknown });
        expect(operations.length).toBeGreaterThan(1000);
        expect(checkHistory(register(), operations).verdict).toBe("linearizable");
      }
    },
    20_000,
  );

  // A test for each: with outcomes unknown one of them explores half a million configurations.
  test.each(unknownShares.flatMap((unknown) => [1, 3, 5].map((seed) => [unknown, seed] as const)))(
    "and so is the one wrong read among them, with %d of outcomes unknown (seed %d)",
    (unknown, seed) => {
      const { operations } = busyRegister(register(), { seed, steps: 4500, processes: 20, values: 5, unknown });
      const wrong = operations.findIndex(
        ({ input, reply }, place) => place > 800 && input.f === "read" && reply !== null,
      );
      const changed = operations.map((original, place) =>
        place !== wrong || original.reply === null
          ? original
          : { ...original, reply: { ...original.reply, output: valueFromNowhere } },
      );
      const result = checkHistory(register(), changed);
      expect(result.verdict).toBe("violated");
      expect(result.violations[0]?.unplaced).toContain(changed[wrong]);
    },
    60_000,
  );

  test("a hundred writes of unknown outcome, each to another value, cost little", () => {
    const forgotten = Array.from({ length: 100 }, (_, value) => operation(value, write(value), value, null));
    const reads = Array.from({ length: 300 }, (_, count) => {
      const from = 200 + 2 * count;
      return operation(1000, read, from, from + 1, Math.floor(count / 3));
    });
    const result = checkHistory(register(), [...forgotten, ...reads]);
    expect(result.verdict).toBe("linearizable");
    expect(result.configurations).toBeLessThan(10_000);
    expect(verdict([...forgotten, ...reads, operation(1000, read, 900, 901, 5)])).toBe("violated");
  });

  test("a hundred pending operations that are alike cost as one", () => {
    const alike = Array.from({ length: 100 }, (_, client) => operation(client, cas(0, 0.5), 0, null));
    const flips = Array.from({ length: 60 }, (_, count) => [
      operation(200, write(0), 10 + 4 * count, 11 + 4 * count),
      operation(200, read, 12 + 4 * count, 13 + 4 * count, 0.5),
    ]).flat();
    expect(checkHistory(register(), [...alike, ...flips]).configurations).toBeLessThan(1000);
    expect(verdict([...alike, ...flips])).toBe("linearizable");
  });
});
