import { describe, expect, test } from "vitest";
import { HistoryError } from "./history-lines.ts";
import { parseJepsenHistory } from "./jepsen.ts";
import { checkHistory } from "./linearizability.ts";
import { register } from "./register.ts";

type Line = Readonly<Record<string, unknown>>;

const text = (lines: readonly Line[]): string[] => lines.map((line) => JSON.stringify(line));
const parse = (...lines: Line[]) => parseJepsenHistory(text(lines));

function errorOf(lines: Iterable<string>, limits = {}): HistoryError {
  try {
    parseJepsenHistory(lines, limits);
  } catch (error) {
    if (error instanceof HistoryError) return error;
    throw error;
  }
  throw new Error("the history was read");
}
const errorIn = (...lines: Line[]) => errorOf(text(lines));

const invokeRead = { process: 0, type: "invoke", f: "read", value: null, time: 1 };
const invokeWrite = { process: 0, type: "invoke", f: "write", value: 1, time: 1 };
const invokeCas = { process: 0, type: "invoke", f: "cas", value: [1, 2], time: 1 };

describe("a history that can be read", () => {
  test("calls meet their returns; order is that of the lines, time is kept for messages", () => {
    const { operations } = parse(
      { process: 0, type: "invoke", f: "write", key: "x", value: 1, time: 100 },
      { process: 1, type: "invoke", f: "cas", key: "x", value: [1, 2], time: 110 },
      { process: 1, type: "ok", f: "cas", key: "x", value: [1, 2], time: 120 },
      { process: 0, type: "ok", f: "write", key: "x", value: 1, time: 130 },
      { process: 0, type: "invoke", f: "read", key: 7, value: null, time: 140 },
      { process: 0, type: "ok", f: "read", key: 7, value: "seen", time: 150 },
    );
    expect(operations).toEqual([
      {
        process: 0,
        key: '"x"',
        input: { f: "write", value: 1 },
        index: 1,
        time: 100,
        reply: { output: null, index: 4, time: 130 },
      },
      {
        process: 1,
        key: '"x"',
        input: { f: "cas", from: 1, to: 2 },
        index: 2,
        time: 110,
        reply: { output: null, index: 3, time: 120 },
      },
      {
        process: 0,
        key: "7",
        input: { f: "read" },
        index: 5,
        time: 140,
        reply: { output: "seen", index: 6, time: 150 },
      },
    ]);
  });

  test("what failed did not happen; info and what is open at the end are unknown", () => {
    const history = parse(
      { ...invokeCas, process: 0 },
      { ...invokeWrite, process: 1 },
      { ...invokeWrite, process: 2, value: 5 },
      { ...invokeCas, process: 0, type: "fail" },
      { ...invokeWrite, process: 1, type: "info" },
    );
    expect(history).toMatchObject({ failed: 1, unknown: 2 });
    expect(history.operations.map(({ process, reply }) => [process, reply])).toEqual([
      [1, null],
      [2, null],
    ]);
  });

  test("a process goes on after info, though Jepsen's never do", () => {
    expect(parse(invokeWrite, { ...invokeWrite, type: "info" }, invokeWrite).unknown).toBe(2);
  });

  test("the nemesis, empty lines, further fields and a missing key are no trouble", () => {
    const { operations } = parseJepsenHistory([
      "",
      '{"process":"nemesis","type":"info","f":"start-partition","value":"majority","time":0}',
      '{"process":3,"type":"invoke","f":"read","value":null,"time":1,"index":0}',
      "   ",
      '{"process":3,"type":"ok","f":"read","value":null,"time":2,"index":1}\r',
    ]);
    expect(operations).toMatchObject([{ process: 3, key: "(none)", index: 3, reply: { output: null, index: 5 } }]);
  });

  test("lines are taken one by one, so that a file can be streamed", () => {
    function* lines() {
      for (let time = 0; time < 1000; time++) {
        yield JSON.stringify({ ...invokeWrite, type: time % 2 === 0 ? "invoke" : "ok", time });
      }
    }
    const { operations } = parseJepsenHistory(lines());
    expect(operations).toHaveLength(500);
    expect(checkHistory(register(), operations).verdict).toBe("linearizable");
  });

  test("a violation is told in the history's own words", () => {
    const { operations } = parse(
      { ...invokeWrite, key: "x", time: 1000 },
      { ...invokeWrite, type: "ok", key: "x", time: 1500 },
      { ...invokeRead, process: 4, key: "x", time: 2000 },
      { ...invokeRead, process: 4, type: "ok", value: 3, key: "x", time: 2500 },
    );
    const [violation] = checkHistory(register(), operations).violations;
    expect(violation?.message).toContain(
      'key "x" is not linearizable: read -> 3 by process 4 (called 2000, returned 2500)',
    );
  });
});

describe("a history that cannot be read", () => {
  test.each([
    ["not json", "is not JSON"],
    ["[1]", "must be one JSON object, is [1]"],
    ["null", "must be one JSON object, is null"],
  ])("syntax: %s", (line, message) => {
    const error = errorOf(["", line]);
    expect(error).toMatchObject({ kind: "syntax", line: 2, field: null });
    expect(error.message).toContain(`line 2: ${message}`);
  });

  test.each([
    ["process", { ...invokeRead, process: 1.5 }, "an integer or a string, is 1.5"],
    ["process", { type: "invoke", f: "read", time: 1 }, "is missing"],
    ["type", { ...invokeRead, type: "okay" }, 'one of invoke, ok, fail, info, is "okay"'],
    ["f", { ...invokeRead, f: "append" }, "one of read, write, cas"],
    ["time", { ...invokeRead, time: "now" }, 'a number, is "now"'],
    ["key", { ...invokeRead, key: ["x"] }, 'is ["x"]'],
    ["value", { ...invokeRead, value: 3 }, "null where a read is invoked"],
    ["value", { ...invokeWrite, value: { a: 1 } }, 'is {"a":1}'],
    ["value", { process: 0, type: "invoke", f: "write", time: 1 }, "is missing"],
    ["value", { ...invokeCas, value: [1] }, "[old, new]"],
    ["value", { ...invokeCas, value: [1, 2, 3] }, "[old, new]"],
    ["value", { ...invokeCas, value: 5 }, "[old, new]"],
  ])("field %s", (field, line, message) => {
    const error = errorIn(line);
    expect(error).toMatchObject({ kind: "field", line: 1, field });
    expect(error.message).toContain(`line 1: field "${field}" must be`);
    expect(error.message).toContain(message);
  });

  test("field value: a number too large for JavaScript", () => {
    expect(errorOf(['{"process":0,"type":"invoke","f":"write","value":1e999,"time":1}'])).toMatchObject({
      kind: "field",
      field: "value",
    });
  });

  test("field value: what was read is missing, or what was written has changed", () => {
    expect(errorIn(invokeRead, { process: 0, type: "ok", f: "read", time: 2 })).toMatchObject({
      line: 2,
      field: "value",
    });
    expect(errorIn(invokeWrite, { ...invokeWrite, type: "ok", value: 2 })).toMatchObject({ line: 2, field: "value" });
    expect(errorIn(invokeCas, { ...invokeCas, type: "ok", value: [2, 1] })).toMatchObject({ line: 2, field: "value" });
  });

  test("order: a process invokes twice", () => {
    const error = errorIn(invokeRead, { ...invokeRead, process: 1 }, invokeRead);
    expect(error).toMatchObject({ kind: "order", line: 3, field: "process" });
    expect(error.message).toContain("process 0 invokes again while its operation of line 1 is open");
  });

  test.each(["ok", "fail", "info"])("order: %s without invoke", (type) => {
    expect(errorIn({ ...invokeRead, type })).toMatchObject({ kind: "order", line: 1, field: "process" });
  });

  test("order: another operation ends than was invoked", () => {
    expect(errorIn(invokeRead, { ...invokeWrite, type: "ok" })).toMatchObject({ kind: "order", line: 2, field: "f" });
    expect(errorIn({ ...invokeRead, key: "x" }, { ...invokeRead, type: "ok", key: "y" })).toMatchObject({
      kind: "order",
      line: 2,
      field: "key",
    });
  });

  test("limits: a line too long, a history too long", () => {
    const line = JSON.stringify(invokeRead);
    expect(errorOf([line], { lineLengthMax: 20 })).toMatchObject({ kind: "limit", line: 1, limit: 20 });
    const other = JSON.stringify({ ...invokeRead, process: 1 });
    expect(errorOf([line, other], { eventsMax: 1 })).toMatchObject({ kind: "limit", line: 2, limit: 1 });
  });
});
