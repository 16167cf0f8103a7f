import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { differingRuns, firstDifferentLine } from "./trace-hashes.ts";

describe("differingRuns", () => {
  const hashes = new Map([
    ["calm 1", "aa"],
    ["calm 2", "bb"],
  ]);

  test("equal hashes are no difference", () => {
    expect(differingRuns(hashes, new Map(hashes))).toEqual([]);
  });

  test("another hash and a run that one side lacks are", () => {
    const others = new Map([
      ["calm 1", "aa"],
      ["calm 2", "cc"],
      ["calm 3", "dd"],
    ]);
    expect(differingRuns(hashes, others)).toEqual(["calm 2", "calm 3"]);
    expect(differingRuns(others, hashes)).toEqual(["calm 2", "calm 3"]);
  });
});

describe("firstDifferentLine", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const compare = (left: string, right: string) => {
    const paths = [join(folder, "left"), join(folder, "right")] as const;
    writeFileSync(paths[0], left);
    writeFileSync(paths[1], right);
    return firstDifferentLine(...paths);
  };

  test("equal files", async () => {
    expect(await compare("a\nb\n", "a\nb\n")).toBeNull();
    expect(await compare("", "")).toBeNull();
  });

  test("names the first line, and an end as null", async () => {
    expect(await compare("a\nb\nc\n", "a\nx\ny\n")).toEqual({ line: 2, left: "b", right: "x" });
    expect(await compare("a\n", "a\nb\n")).toEqual({ line: 2, left: null, right: "b" });
    expect(await compare("a\nb\n", "a\n")).toEqual({ line: 2, left: "b", right: null });
  });
});
