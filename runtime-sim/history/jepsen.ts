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

import {
  DEFAULT_HISTORY_LIMITS,
  eventLines,
  type Fields,
  fieldError,
  type HistoryLimits,
  isOneOf,
  isProcess,
  orderError,
} from "./history-lines.ts";
import type { Operation } from "./model.ts";
import type { RegisterInput, Scalar } from "./register.ts";

export interface JepsenHistory {
  /** In order of their calls. A key is kept as its JSON text; operations without one share the key `(none)`. */
  readonly operations: readonly Operation<RegisterInput, Scalar>[];
  /** Operations that failed, and so are not among `operations`. */
  readonly failed: number;
  /** Operations of unknown outcome, among `operations`. */
  readonly unknown: number;
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

/** Reads a history. Throws a `HistoryError` at the first line that cannot be read. */
export function parseJepsenHistory(lines: Iterable<string>, limits: Partial<HistoryLimits> = {}): JepsenHistory {
  const operations: (Operation<RegisterInput, Scalar> | null)[] = [];
  const open = new Map<number | string, OpenOperation>();
  let failed = 0;
  let settled = 0;

  for (const { line, fields } of eventLines(lines, { ...DEFAULT_HISTORY_LIMITS, ...limits }, isNemesis)) {
    const event = eventOf(fields, line);
    const begun = open.get(event.process);
    if (event.type === "invoke") {
      if (begun !== undefined) {
        throw orderError(
          line,
          `process ${event.process} invokes again while its operation of line ${begun.line} is open`,
          "process",
        );
      }
      const { process, key, time } = event;
      const operation = { process, key, input: inputOf(event, line), index: line, time, reply: null };
      open.set(process, { place: operations.length, line, operation });
      operations.push(operation);
      continue;
    }
    if (begun === undefined) {
      throw orderError(line, `process ${event.process} reports ${event.type} without an open operation`, "process");
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
  return { operations: happened, failed, unknown: happened.length - settled };
}

function isNemesis({ process }: Fields): boolean {
  return process === "nemesis";
}

function eventOf(fields: Fields, line: number): JepsenEvent {
  const { process } = fields;
  if (!isProcess(process)) throw fieldError(line, "process", "an integer or a string", process);
  const { type, f, time } = fields;
  if (!isOneOf(type, ["invoke", "ok", "fail", "info"])) {
    throw fieldError(line, "type", "one of invoke, ok, fail, info", type);
  }
  if (!isOneOf(f, ["read", "write", "cas"])) throw fieldError(line, "f", "one of read, write, cas", f);
  if (!(typeof time === "number" && Number.isFinite(time))) throw fieldError(line, "time", "a number", time);
  const key = fields["key"] ?? null;
  if (!isScalar(key)) throw fieldError(line, "key", "a string, a number or a boolean", key);
  return { process, type, f, key: key === null ? "(none)" : JSON.stringify(key), value: fields["value"], time };
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

function isScalar(value: unknown): value is Scalar {
  if (typeof value === "number") return Number.isFinite(value);
  return value === null || typeof value === "string" || typeof value === "boolean";
}
