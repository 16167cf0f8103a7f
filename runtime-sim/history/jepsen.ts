/**
 * Reads a client history in Jepsen's form, one JSON object a line, into operations on read/write/compare-and-set
 * registers.
 *
 *     {"process": 0, "type": "invoke", "f": "cas", "key": "x", "value": [1, 2], "time": 100}
 *     {"process": 0, "type": "ok",     "f": "cas", "key": "x", "value": [1, 2], "time": 160}
 *
 * The order of the lines is the order of the events; `time` is for messages. An operation that failed did not happen
 * and is dropped; one that ended with info, or is open at the end, has an unknown outcome. Lines of the process
 * "nemesis" and empty lines are skipped; fields not named here are not looked at.
 *
 * It checks each line and that the lines of a process fit together; it does not check whether the answers make sense.
 */

import type { Operation } from "./model.ts";
import type { RegisterInput, Scalar } from "./register.ts";

export interface JepsenLimits {
  /** In UTF-16 code units. */
  readonly lineLengthMax: number;
  /** Lines that are neither empty nor the nemesis's. */
  readonly eventsMax: number;
}

export const DEFAULT_JEPSEN_LIMITS: JepsenLimits = { lineLengthMax: 65_536, eventsMax: 2_000_000 };

/** What is wrong with a line: its JSON, one field, its place among the lines of its process, or its size. */
export type JepsenErrorKind = "syntax" | "field" | "order" | "limit";

/** A history that cannot be read. */
export class JepsenError extends Error {
  override readonly name = "JepsenError";
  readonly kind: JepsenErrorKind;
  /** Counted from 1. */
  readonly line: number;
  /** The field at fault, for kind "field" and "order". */
  readonly field: string | null;
  /** The limit that was exceeded, for kind "limit". */
  readonly limit: number | null;

  constructor(
    kind: JepsenErrorKind,
    line: number,
    message: string,
    details: { readonly field?: string; readonly limit?: number } = {},
  ) {
    super(`line ${line}: ${message}`);
    this.kind = kind;
    this.line = line;
    this.field = details.field ?? null;
    this.limit = details.limit ?? null;
  }
}

export interface JepsenHistory {
  /** In order of their calls. A key is kept as its JSON text; operations without one share the key `(none)`. */
  readonly operations: readonly Operation<RegisterInput, Scalar>[];
  /** Operations that failed, and so are not among `operations`. */
  readonly failed: number;
  /** Operations of unknown outcome, among `operations`. */
  readonly unknown: number;
  /** Lines read, with those that were skipped. */
  readonly lines: number;
}

type EventType = "invoke" | "ok" | "fail" | "info";

interface JepsenEvent {
  readonly process: number | string;
  readonly type: EventType;
  readonly f: RegisterInput["f"];
  readonly key: string;
  /** Undefined when the line has none. */
  readonly value: unknown;
  readonly time: number;
}

/** An operation while its end is awaited. */
interface OpenOperation {
  readonly place: number;
  readonly line: number;
  readonly operation: Operation<RegisterInput, Scalar>;
}

/** Reads a history. Throws a {@link JepsenError} at the first line that cannot be read. */
export function parseJepsenHistory(lines: Iterable<string>, limits: Partial<JepsenLimits> = {}): JepsenHistory {
  const { lineLengthMax, eventsMax } = { ...DEFAULT_JEPSEN_LIMITS, ...limits };
  const operations: (Operation<RegisterInput, Scalar> | null)[] = [];
  const open = new Map<number | string, OpenOperation>();
  let line = 0;
  let events = 0;
  let failed = 0;
  let settled = 0;

  for (const text of lines) {
    line += 1;
    if (text.length > lineLengthMax) {
      throw new JepsenError("limit", line, `has ${text.length} characters, the limit is ${lineLengthMax}`, {
        limit: lineLengthMax,
      });
    }
    const event = parseLine(text, line);
    if (event === null) continue;
    events += 1;
    if (events > eventsMax) {
      throw new JepsenError("limit", line, `the history has more than ${eventsMax} events`, { limit: eventsMax });
    }

    const begun = open.get(event.process);
    if (event.type === "invoke") {
      if (begun !== undefined) {
        throw orderError(
          line,
          `process ${event.process} invokes again while its operation of line ${begun.line} is open`,
        );
      }
      const { process, key, time } = event;
      const operation = { process, key, input: inputOf(event, line), index: line, time, reply: null };
      open.set(process, { place: operations.length, line, operation });
      operations.push(operation);
      continue;
    }
    if (begun === undefined) {
      throw orderError(line, `process ${event.process} reports ${event.type} without an open operation`);
    }
    checkSameOperation(event, begun, line);
    open.delete(event.process);
    if (event.type === "fail") {
      failed += 1;
      operations[begun.place] = null;
    } else if (event.type === "ok") {
      settled += 1;
      const output = outputOf(event, begun, line);
      operations[begun.place] = { ...begun.operation, reply: { output, index: line, time: event.time } };
    }
  }
  const happened = operations.filter((operation) => operation !== null);
  return { operations: happened, failed, unknown: happened.length - settled, lines: line };
}

/** Null for a line that is to be skipped. */
function parseLine(text: string, line: number): JepsenEvent | null {
  if (text.trim() === "") return null;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new JepsenError("syntax", line, `is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isRecord(parsed)) throw new JepsenError("syntax", line, `must be one JSON object, is ${show(parsed)}`);
  if (parsed["process"] === "nemesis") return null;

  const process = parsed["process"];
  if (!(typeof process === "string" || (typeof process === "number" && Number.isSafeInteger(process)))) {
    throw fieldError(line, "process", "an integer or a string", process);
  }
  const type = parsed["type"];
  if (!isOneOf(type, ["invoke", "ok", "fail", "info"])) {
    throw fieldError(line, "type", "one of invoke, ok, fail, info", type);
  }
  const f = parsed["f"];
  if (!isOneOf(f, ["read", "write", "cas"])) throw fieldError(line, "f", "one of read, write, cas", f);
  const time = parsed["time"];
  if (!(typeof time === "number" && Number.isFinite(time))) throw fieldError(line, "time", "a number", time);
  const key = parsed["key"] ?? null;
  if (!isScalar(key)) throw fieldError(line, "key", "a string, a number or a boolean", key);
  return { process, type, f, key: key === null ? "(none)" : JSON.stringify(key), value: parsed["value"], time };
}

function inputOf({ f, value }: JepsenEvent, line: number): RegisterInput {
  switch (f) {
    case "read":
      if (value !== undefined && value !== null) throw fieldError(line, "value", "null where a read is invoked", value);
      return { f };
    case "write":
      if (!isScalar(value)) throw fieldError(line, "value", "a string, a number, a boolean or null", value);
      return { f, value };
    case "cas": {
      const [from, to, ...rest]: unknown[] = Array.isArray(value) ? value : [];
      if (!isScalar(from) || !isScalar(to) || rest.length > 0) {
        throw fieldError(line, "value", "[old, new], each a string, a number, a boolean or null", value);
      }
      return { f, from, to };
    }
  }
}

/** The value read; null for the others, which must repeat what was invoked if they say anything. */
function outputOf(event: JepsenEvent, { operation }: OpenOperation, line: number): Scalar {
  const { f, value } = event;
  if (f === "read") {
    if (!isScalar(value))
      throw fieldError(line, "value", "what was read: a string, a number, a boolean or null", value);
    return value;
  }
  if (value === undefined || value === null) return null;
  const again = inputOf(event, line);
  if (JSON.stringify(again) !== JSON.stringify(operation.input)) {
    throw fieldError(line, "value", `the value that was invoked, ${JSON.stringify(operation.input)}`, value);
  }
  return null;
}

function checkSameOperation(event: JepsenEvent, { line: begunAt, operation }: OpenOperation, line: number): void {
  const { input, key } = operation;
  if (event.f !== input.f) {
    throw orderError(line, `process ${event.process} ends a ${event.f}, but line ${begunAt} invoked a ${input.f}`, "f");
  }
  if (event.key !== key) {
    throw orderError(
      line,
      `process ${event.process} ends an operation on key ${event.key}, but line ${begunAt} invoked one on key ${key}`,
      "key",
    );
  }
}

function orderError(line: number, message: string, field = "process"): JepsenError {
  return new JepsenError("order", line, message, { field });
}

function fieldError(line: number, field: string, expected: string, found: unknown): JepsenError {
  return new JepsenError("field", line, `field "${field}" must be ${expected}, is ${show(found)}`, { field });
}

/** A value in a message: short, whatever it is. */
function show(value: unknown): string {
  if (value === undefined) return "missing";
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): value is Scalar {
  if (typeof value === "number") return Number.isFinite(value);
  return value === null || typeof value === "string" || typeof value === "boolean";
}

function isOneOf<T extends string>(value: unknown, choices: readonly T[]): value is T {
  return choices.some((choice) => choice === value);
}
