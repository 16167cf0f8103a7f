import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blixard, type Heard } from "../../testing/index.ts";

type Line = Readonly<Record<string, unknown>>;

let folder = "";
let path = "";
/** By clients that ask much, while clocks and members fail. */
let exported: readonly Line[] = [];

function read(file: string): Line[] {
  return readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line): Line => JSON.parse(line));
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
  path = join(folder, "history.jsonl");
  const { code } = await blixard(["sim", "lease-reads", "--seed", "3", "--duration", "15s", "--history", path]);
  expect(code).toBe(0);
  exported = read(path);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function judge(lines: readonly Line[]): Promise<Heard> {
  const changed = join(folder, "changed.jsonl");
  writeFileSync(changed, lines.map((line) => JSON.stringify(line)).join("\n"));
  return blixard(["sim", "check-history", changed]);
}

/** The history with one answer to a read changed: the last one on this kind of register that saw a VM. */
function planted(register: string): Line[] {
  const at = exported.findLastIndex(
    ({ type, f, key, value }) => type === "ok" && f === "read" && value !== null && String(key).endsWith(register),
  );
  expect(at).toBeGreaterThan(0);
  return exported.map((line, index) => (index === at ? { ...line, value: Number(line["value"]) + 1_000_000 } : line));
}

describe("the history of a run", () => {
  test("is accepted by check-history, and has operations of every kind", async () => {
    const { code, out } = await blixard(["sim", "check-history", path]);
    expect(out).toMatch(/^linearizable: /);
    expect(code).toBe(0);
    expect(exported.length).toBeGreaterThan(200);
    expect(new Set(exported.map(({ f }) => f))).toEqual(new Set(["read", "write", "cas"]));
  });

  test("is refused with a planted wrong value, or a planted wrong generation", async () => {
    const value = await judge(planted(" value"));
    expect([value.code, value.out]).toEqual([1, expect.stringMatching(/ value" is not linearizable: read -> 1\d{6} /)]);
    const generation = await judge(planted(" generation"));
    expect([generation.code, generation.out]).toEqual([1, expect.stringContaining(' generation" is not linearizable')]);
  });

  describe("in our own form", () => {
    let own: readonly Line[] = [];
    beforeAll(async () => {
      const file = join(folder, "own.jsonl");
      const run = ["sim", "lease-reads", "--seed", "3", "--duration", "15s", "--history", file];
      expect((await blixard([...run, "--history-form", "own"])).code).toBe(0);
      own = read(file);
    }, 60_000);

    /** The last end of a call that `matches`, with another output. */
    function plantedOwn(kind: string, output: Line): Line[] {
      const at = own.findLastIndex((line) => JSON.stringify(line["output"])?.startsWith(`{"kind":"${kind}"`) === true);
      expect(at).toBeGreaterThan(0);
      return own.map((line, index) => (index === at ? { ...line, output: { kind, ...output } } : line));
    }

    test("has every call with its answer, and the generations of VMs", () => {
      expect(own.length).toBeGreaterThan(100);
      expect(own.find(({ output }) => JSON.stringify(output)?.includes('"written"'))).toMatchObject({
        operation: expect.any(Number),
        vm: expect.any(String),
        output: { generation: expect.any(Number) },
        answer: { kind: expect.any(String) },
      });
    });

    test("is accepted by check-history, which says what it has not judged", async () => {
      const { code, out } = await judge(own);
      expect(out).toMatch(/^linearizable: \d+ operations on \d keys.*; \d+ of no single VM, or stale, not judged; /);
      expect(code).toBe(0);
    });

    test.each<[string, Line]>([
      ["found", { value: 1_000_001, generation: 1 }],
      ["found", { value: 1, generation: 1_000_001 }],
      ["written", { generation: 1_000_001 }],
      ["mismatch", { actual: 1_000_001 }],
    ])("is refused with a planted wrong %s %j", async (kind, output) => {
      const { code, out } = await judge(plantedOwn(kind, output));
      expect([code, out]).toEqual([1, expect.stringMatching(/^key [a-z]+-\d is not linearizable: .*1000001/)]);
    });

    test("a line that cannot be read is named, with its field", async () => {
      const { code, out, err } = await judge(plantedOwn("found", { value: 1 }));
      expect([code, out]).toEqual([1, ""]);
      expect(err).toMatch(
        /changed\.jsonl, line \d+: field "output\.generation" must be an integer from 1 on, is missing/,
      );
      expect(err).toContain("hint: the forms of a history are in docs/simulator.md");
    });
  });
});
