/** Against the obvious version: a map, looked through for the least each time. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Deadlines } from "./deadlines.ts";

type Step =
  | { readonly do: "set"; readonly key: string; readonly atMs: number }
  | { readonly do: "delete" | "has"; readonly key: string }
  | { readonly do: "take"; readonly nowMs: number };

const key = fc.constantFrom("a", "b", "c", "d", "e");
const atMs = fc.nat(20);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("set"), key, atMs }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("delete", "has"), key }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("take"), nowMs: atMs }) },
);

test("whatever is set, set anew and deleted: the first that is due comes first, each once", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100, size: "max" }), (steps) => {
      const deadlines = new Deadlines<string>();
      const obvious = new Map<string, number>();
      for (const one of steps) {
        switch (one.do) {
          case "set":
            deadlines.set(one.key, one.atMs);
            obvious.set(one.key, one.atMs);
            break;
          case "delete":
            deadlines.delete(one.key);
            obvious.delete(one.key);
            break;
          case "has":
            expect(deadlines.has(one.key)).toBe(obvious.has(one.key));
            break;
          case "take": {
            const least = Math.min(...obvious.values());
            const taken = deadlines.take(one.nowMs);
            expect(taken !== undefined).toBe(least <= one.nowMs);
            if (taken === undefined) break;
            expect(obvious.get(taken)).toBe(least);
            obvious.delete(taken);
            break;
          }
        }
        expect(deadlines.nextMs).toBe(Math.min(...obvious.values()));
      }
    }),
  );
});
