/** Every mark of the core is passed somewhere: one in the list alone would never be reached, and tell nothing. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, expectTypeOf, test } from "vitest";
import { MARKS, type Mark } from "./marks.ts";
import type { EvidenceKind } from "./raft/index.ts";
import type { RequestRefusal } from "./runtime.ts";
import type { WorkerRefusal } from "./scheduler/index.ts";

const core = import.meta.dirname;
const sources = globSync("**/*.ts", { cwd: core, exclude: ["**/*.test.ts", "marks.ts"] });
const text = sources.map((path) => readFileSync(join(core, path), "utf8")).join("\n");

test("each is passed, by its name or by the kind of what was refused", () => {
  const byKind = new Set(Array.from(text.matchAll(/mark\(`([\w-]+)\/\$\{/g), ([, group]) => group));
  expect([...byKind].sort()).toEqual(["evidence", "refused", "request-refused", "unfit"]);
  const missing = MARKS.filter((mark) => !text.includes(`"${mark}"`) && !byKind.has(mark.split("/")[0]));
  expect(missing).toEqual([]);
});

type KindsIn<Group extends string, Each = Mark> = Each extends `${Group}/${infer Kind}` ? Kind : never;

test("those by a kind are of a kind that there is", () => {
  expectTypeOf<KindsIn<"evidence">>().toEqualTypeOf<EvidenceKind>();
  expectTypeOf<KindsIn<"request-refused">>().toEqualTypeOf<RequestRefusal["kind"]>();
  expectTypeOf<KindsIn<"unfit">>().toEqualTypeOf<WorkerRefusal["kind"]>();
});

test("each name is there once", () => {
  expect(new Set(MARKS).size).toBe(MARKS.length);
  const twice = MARKS.filter((mark) => text.split(`"${mark}"`).length > 2);
  expect(twice).toEqual([]);
});
