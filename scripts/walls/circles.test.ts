import fc from "fast-check";
import { expect, test } from "vitest";
import { circlesOf, type ImportGraph } from "./circles.ts";

function graphOf(edges: Readonly<Record<string, readonly string[]>>): ImportGraph {
  return new Map(Object.entries(edges));
}

test("files that import each other, directly or by way of others, are a circle", () => {
  expect(circlesOf(graphOf({ a: ["b"], b: ["c"], c: ["a", "d"], d: ["e"], e: ["d"], f: ["a"] }))).toEqual([
    ["d", "e"],
    ["a", "b", "c"],
  ]);
});

test("a ladder of imports is none", () => {
  expect(circlesOf(graphOf({ a: ["b", "c"], b: ["d"], c: ["d"], d: ["outside"] }))).toEqual([]);
});

test("two files are on one circle exactly when each reaches the other", () => {
  const files = ["a", "b", "c", "d", "e", "f"];
  const edges = fc.array(fc.subarray(files), { minLength: files.length, maxLength: files.length });
  fc.assert(
    fc.property(edges, (imported) => {
      const graph: ImportGraph = new Map(files.map((file, n) => [file, imported[n] ?? []]));
      const reached = (from: string): Set<string> => {
        const seen = new Set<string>();
        const open = [...(graph.get(from) ?? [])];
        for (let next = open.pop(); next !== undefined; next = open.pop()) {
          if (seen.has(next)) continue;
          seen.add(next);
          open.push(...(graph.get(next) ?? []));
        }
        return seen;
      };
      const circles = circlesOf(graph);
      for (const one of files)
        for (const other of files) {
          if (one === other) continue;
          const together = circles.some((circle) => circle.includes(one) && circle.includes(other));
          expect(together).toBe(reached(one).has(other) && reached(other).has(one));
        }
    }),
  );
});
