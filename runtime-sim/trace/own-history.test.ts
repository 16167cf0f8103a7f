import { describe, expect, test } from "vitest";
import { checkHistory, HistoryError } from "../history/index.ts";
import { VM_MODEL } from "../oracles/index.ts";
import { applied, CREATED, call, complete, FakeCluster, updated } from "../oracles/testing/index.ts";
import { ClientHistory } from "./client-history.ts";
import { historyFormOf, parseOwnHistory } from "./own-history.ts";

type Line = Readonly<Record<string, unknown>>;

const text = (lines: readonly Line[]): string[] => lines.map((line) => JSON.stringify(line));

function errorIn(...lines: readonly Line[]): HistoryError {
  try {
    parseOwnHistory(text(lines));
  } catch (error) {
    if (error instanceof HistoryError) return error;
    throw error;
  }
  throw new Error("the history was read");
}

const invoke = { type: "invoke", atMs: 1, operation: 1, client: 1, vm: "vm-1" };
const end = { type: "ok", atMs: 2, operation: 1, client: 1, vm: "vm-1" };
const CREATE = { ...invoke, input: { kind: "create", value: 7 } };
const WRITTEN = { ...end, output: { kind: "written", generation: 1 } };
const UPDATE = { ...invoke, operation: 2, input: { kind: "update", value: 8, expectedGeneration: null } };

test("what a run has exported is read back as it was", () => {
  const cluster = new FakeCluster(1, []);
  const history = new ClientHistory();
  const create = call(cluster, { id: 1, kind: "create", value: 1 });
  history.invoked(create);
  complete(cluster, create, applied(1, CREATED));
  history.completed(create);
  const update = call(cluster, { id: 2, kind: "update", value: 2, expectedGeneration: 1 });
  history.invoked(update);
  complete(cluster, update, applied(2, updated(2)));
  history.completed(update);
  const lines = [...history.lines("own")].map((line) => JSON.stringify(line));
  expect(historyFormOf(lines[0] ?? "")).toBe("own");
  const read = parseOwnHistory(lines);
  expect(read).toMatchObject({
    operations: [
      { key: "vm", input: { kind: "create", value: 1 }, reply: { output: { kind: "written", generation: 1 } } },
      { key: "vm", input: { kind: "update", value: 2, expectedGeneration: 1 }, reply: { output: { generation: 2 } } },
    ],
    failed: 0,
    unknown: 0,
    notJudged: 0,
  });
  expect(checkHistory(VM_MODEL, read.operations).verdict).toBe("linearizable");
});

test("no effect, no outcome, no VM and stale reads are told apart", () => {
  const read = parseOwnHistory(
    text([
      CREATE,
      { ...end, type: "refused" },
      UPDATE,
      { ...end, type: "unknown", operation: 2 },
      { ...invoke, operation: 3, vm: undefined },
      { ...end, operation: 3, vm: undefined },
      { ...invoke, operation: 4, input: { kind: "get" }, asked: { consistency: "stale" } },
      { ...end, operation: 4, output: { kind: "absent" } },
      { ...invoke, operation: 5, input: { kind: "delete", expectedGeneration: 3 } },
      // Refused for what they ask; two that carry no value are two.
      { ...CREATE, operation: 6, input: { kind: "create", value: 0 } },
      { ...end, type: "refused", operation: 6 },
      { ...UPDATE, operation: 7, input: { kind: "update", value: 0, expectedGeneration: 1.5 } },
      { ...end, type: "refused", operation: 7 },
    ]),
  );
  expect(read).toMatchObject({ failed: 3, unknown: 2, notJudged: 2 });
  expect(read.operations.map(({ input, reply }) => [input.kind, reply])).toEqual([
    ["update", null],
    ["delete", null],
  ]);
});

test("planted: two writes of one generation are refused", () => {
  const again = { ...UPDATE, input: { ...UPDATE.input, expectedGeneration: 1 } };
  const third = { ...again, operation: 3, input: { ...again.input, value: 9 } };
  const { operations } = parseOwnHistory(
    text([
      CREATE,
      WRITTEN,
      again,
      { ...WRITTEN, operation: 2, output: { kind: "written", generation: 2 } },
      third,
      { ...WRITTEN, operation: 3, output: { kind: "written", generation: 2 } },
    ]),
  );
  const [violation] = checkHistory(VM_MODEL, operations).violations;
  expect(violation?.message).toContain("key vm-1 is not linearizable: update 9 if generation is 1 -> generation 2");
});

test.each([
  ['{"process": 0, "type": "invoke", "operation": 3}', "jepsen"],
  ['{"type": "invoke", "operation": 3}', "own"],
  ["{}", "jepsen"],
  ["no JSON", "jepsen"],
  ["", "jepsen"],
])("the form of %s", (line, form) => {
  expect(historyFormOf(line)).toBe(form);
});

describe("a history that cannot be read", () => {
  test.each<[string, Line]>([
    ["type", { ...CREATE, type: "info" }],
    ["operation", { ...CREATE, operation: "1" }],
    ["atMs", { ...CREATE, atMs: "now" }],
    ["client", { ...CREATE, client: null }],
    ["vm", { ...CREATE, vm: 1 }],
    ["input", { ...invoke }],
    ["input.kind", { ...invoke, input: { kind: "put" } }],
    ["input.value", { ...invoke, input: { kind: "create", value: 1.5 } }],
    ["input.expectedGeneration", { ...invoke, input: { kind: "delete" } }],
  ])("field %s of a call", (field, line) => {
    expect(errorIn({ ...UPDATE }, line)).toMatchObject({ kind: "field", line: 2, field });
  });

  test.each<[string, unknown]>([
    ["output", "written"],
    ["output.kind", { kind: "found" }],
    ["output.generation", { kind: "written", generation: 0 }],
  ])("field %s of an end", (field, output) => {
    expect(errorIn(CREATE, { ...end, output })).toMatchObject({ kind: "field", line: 2, field });
  });

  test("a value that is written twice names the line that wrote it first", () => {
    const error = errorIn(CREATE, WRITTEN, { ...CREATE, operation: 2 });
    expect(error).toMatchObject({ kind: "field", line: 3, field: "input.value" });
    expect(error.message).toBe('line 3: field "input.value" must be one that line 1 has not written, is 7');
  });

  test("calls and ends that do not fit together", () => {
    expect(errorIn(CREATE, CREATE)).toMatchObject({ kind: "order", line: 2, field: "operation" });
    expect(errorIn(WRITTEN)).toMatchObject({ kind: "order", line: 1, field: "operation" });
    expect(errorIn(CREATE, { ...WRITTEN, vm: "vm-2" })).toMatchObject({ kind: "order", line: 2, field: "vm" });
  });
});
