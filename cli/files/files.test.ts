import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FailureError } from "../frame/index.ts";
import { checkWritable, JsonLinesFile, jsonLine, readJson, readLines, readText, writeWhole } from "./index.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);

function failureOf(act: () => unknown): FailureError {
  try {
    act();
  } catch (error) {
    if (error instanceof FailureError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

describe("reading lines", () => {
  test.each([
    ["", []],
    ["a\nb\n", ["a", "b"]],
    ["a\n\nb", ["a", "", "b"]],
    ["\ufeffa\r\nb", ["a\r", "b"]],
  ])("of %j", (text, lines) => {
    writeFileSync(at("lines"), text);
    expect([...readLines(at("lines"), 100)]).toEqual(lines);
  });

  test("characters and lines that lie across chunks stay whole", () => {
    const lines = Array.from({ length: 3000 }, (_, index) => `${index} ${"äß€😀".repeat(20)}`);
    writeFileSync(at("lines"), lines.join("\n"));
    expect([...readLines(at("lines"), 1000)]).toEqual(lines);
  });

  test("a line without end is not read to its end", () => {
    writeFileSync(at("lines"), "x".repeat(1_000_000));
    const [line, ...more] = readLines(at("lines"), 1000);
    expect(line?.length).toBeGreaterThan(1000);
    expect(line?.length).toBeLessThan(100_000);
    expect(more).toEqual([]);
  });

  test("a file that is not there", () => {
    const error = failureOf(() => [...readLines(at("none"), 100)]);
    expect(error.message).toBe(`cannot read ${at("none")} (ENOENT)`);
    expect(error.hint).toContain("check the path");
  });
});

describe("writing whole files", () => {
  test("replaces what was there and leaves nothing beside it", () => {
    writeWhole(at("file"), "one");
    writeWhole(at("file"), "two");
    expect(readText(at("file"))).toBe("two");
    expect(readdirSync(folder)).toEqual(["file"]);
  });

  test("says in time what cannot be written", () => {
    mkdirSync(at("folder"));
    expect(failureOf(() => checkWritable(at("folder"))).message).toContain("it is a folder");
    expect(failureOf(() => checkWritable(at("none/file"))).hint).toContain("check the path");
    expect(failureOf(() => writeWhole(at("none/file"), "")).hint).toContain("check the path");
  });
});

test("a JSON file that does not parse is named, with the reason", () => {
  writeFileSync(at("file"), "{");
  const error = failureOf(() => readJson(at("file"), (value) => value, "mend it"));
  expect(error.message).toMatch(/file: .*JSON/);
  expect(error.hint).toBe("mend it");
});

test("JSON lines arrive whole and in order, however many", () => {
  const file = new JsonLinesFile(at("lines"));
  for (let event = 1; event <= 20_000; event++) file.write({ event });
  file.close();
  const lines = readFileSync(at("lines"), "utf8").trimEnd().split("\n");
  expect(lines).toEqual(Array.from({ length: 20_000 }, (_, index) => `{"event":${index + 1}}`));
});

test("bytes are written as hexadecimal digits", () => {
  expect(jsonLine({ data: new Uint8Array([0, 171, 255]).subarray(1) })).toBe('{"data":"abff"}');
});
