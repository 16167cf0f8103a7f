/**
 * Reads a history in our own form, as `ClientHistory` writes it, into operations on VMs for `VM_MODEL`.
 *
 *     {"type":"invoke","event":9,"atMs":1.5,"operation":4,"client":1,"vm":"vm-1","input":{"kind":"get"},"asked":...}
 *     {"type":"ok","event":12,"atMs":1.9,"operation":4,"client":1,"vm":"vm-1","output":{"kind":"absent"},"answer":...}
 *
 * The order of the lines is the order of the events; `atMs` is for messages. A call that ended without an output had
 * no effect and is dropped; one that ended as unknown, or is open at the end, has an unknown outcome. Calls without a
 * VM and stale reads promise nothing of one VM: they are counted, and not judged. Other fields are not looked at.
 *
 * It checks each line, that calls and ends fit together, that an output is one that its input may have, and that every
 * write that carries a value has one of its own, by which the model tells writes apart. It does not check whether the
 * answers make sense together: that is for the checker.
 */
import {
  DEFAULT_HISTORY_LIMITS,
  eventLines,
  type Fields,
  fieldError,
  type HistoryLimits,
  isFields,
  isOneOf,
  isProcess,
  type Operation,
  orderError,
} from "../history/index.ts";
import type { VmInput, VmOutput } from "../oracles/index.ts";
import type { HistoryForm } from "./client-history.ts";

export interface OwnHistory {
  /** In order of their calls. */
  readonly operations: readonly Operation<VmInput, VmOutput>[];
  /** Calls about a VM that had no effect and say nothing of it, and so are not among `operations`. */
  readonly failed: number;
  /** Operations of unknown outcome, among `operations`. */
  readonly unknown: number;
  /** Calls that are about no single VM, and stale reads. */
  readonly notJudged: number;
}

/** What form a history is in, by its first line that is not empty: Jepsen's has processes. */
export function historyFormOf(line: string): HistoryForm {
  try {
    const fields: unknown = JSON.parse(line);
    return isFields(fields) && fields["process"] === undefined && "operation" in fields ? "own" : "jepsen";
  } catch {
    return "jepsen";
  }
}

/** A call while its end is awaited. */
interface OpenCall {
  readonly line: number;
  readonly vm: string | undefined;
  /** Null: it is not judged. */
  readonly judged: { readonly place: number; readonly operation: Operation<VmInput, VmOutput> } | null;
}

/** Which outputs each kind of call may have. */
const OUTPUTS: Readonly<Record<VmInput["kind"], readonly VmOutput["kind"][]>> = {
  create: ["written", "exists"],
  update: ["written", "absent", "mismatch"],
  delete: ["deleted", "absent", "mismatch"],
  get: ["found", "absent"],
};

/** Reads a history. Throws a `HistoryError` at the first line that cannot be read. */
export function parseOwnHistory(lines: Iterable<string>, limits: Partial<HistoryLimits> = {}): OwnHistory {
  const operations: (Operation<VmInput, VmOutput> | null)[] = [];
  const open = new Map<number, OpenCall>();
  /** The line that wrote each value. */
  const written = new Map<number, number>();
  let failed = 0;
  let settled = 0;
  let notJudged = 0;

  for (const { line, fields } of eventLines(lines, { ...DEFAULT_HISTORY_LIMITS, ...limits }, () => false)) {
    const { type, client, vm } = fields;
    if (!isOneOf(type, ["invoke", "ok", "refused", "unknown"]))
      throw fieldError(line, "type", "one of invoke, ok, refused, unknown", type);
    const id = integerIn(fields, "operation", 0, line);
    const time = timeIn(fields, line);
    if (!isProcess(client)) throw fieldError(line, "client", "an integer or a string", client);
    if (!(vm === undefined || typeof vm === "string")) throw fieldError(line, "vm", "a string, or left out", vm);

    const begun = open.get(id);
    if (type === "invoke") {
      if (begun !== undefined)
        throw orderError(line, `operation ${id} is called again while that of line ${begun.line} is open`, "operation");
      if (vm === undefined || isStale(fields)) {
        notJudged += 1;
        open.set(id, { line, vm, judged: null });
        continue;
      }
      const input = inputIn(fields, line);
      if ("value" in input) checkOwnValue(input.value, written, line);
      const operation = { process: client, key: vm, input, index: line, time, reply: null };
      open.set(id, { line, vm, judged: { place: operations.length, operation } });
      operations.push(operation);
      continue;
    }
    if (begun === undefined) throw orderError(line, `operation ${id} ends as ${type} and was not called`, "operation");
    if (vm !== begun.vm) throw orderError(line, `operation ${id} was called on another VM in line ${begun.line}`, "vm");
    open.delete(id);
    if (begun.judged === null || type === "unknown") continue;
    const { place, operation } = begun.judged;
    if (fields["output"] === undefined) {
      failed += 1;
      operations[place] = null;
    } else {
      settled += 1;
      operations[place] = {
        ...operation,
        reply: { output: outputIn(fields, operation.input, line), index: line, time },
      };
    }
  }
  const judged = operations.filter((operation) => operation !== null);
  return { operations: judged, failed, unknown: judged.length - settled, notJudged };
}

function isStale({ asked }: Fields): boolean {
  return isFields(asked) && asked["consistency"] === "stale";
}

function checkOwnValue(value: number, written: Map<number, number>, line: number): void {
  // It carries none.
  if (value === 0) return;
  const before = written.get(value);
  if (before !== undefined) throw fieldError(line, "input.value", `one that line ${before} has not written`, value);
  written.set(value, line);
}

function inputIn(fields: Fields, line: number): VmInput {
  const input = objectIn(fields, "input", line);
  const { kind } = input;
  switch (kind) {
    case "get":
      return { kind };
    case "create":
      return { kind, value: integerIn(input, "value", 0, line, "input.") };
    case "update":
      return { kind, value: integerIn(input, "value", 0, line, "input."), ...expectedGenerationIn(input, line) };
    case "delete":
      return { kind, ...expectedGenerationIn(input, line) };
    default:
      throw fieldError(line, "input.kind", `one of ${Object.keys(OUTPUTS).join(", ")}`, kind);
  }
}

function expectedGenerationIn(input: Fields, line: number): { readonly expectedGeneration: number | null } {
  const { expectedGeneration } = input;
  // Any number: whoever asks for one that can be none is refused, and has asked.
  if (!(expectedGeneration === null || typeof expectedGeneration === "number"))
    throw fieldError(line, "input.expectedGeneration", "a number or null", expectedGeneration);
  return { expectedGeneration };
}

function outputIn(fields: Fields, input: VmInput, line: number): VmOutput {
  const output = objectIn(fields, "output", line);
  const { kind } = output;
  const kinds = OUTPUTS[input.kind];
  if (!isOneOf(kind, kinds)) throw fieldError(line, "output.kind", `one of ${kinds.join(", ")}`, kind);
  switch (kind) {
    case "exists":
    case "absent":
      return { kind };
    case "written":
    case "deleted":
      return { kind, generation: integerIn(output, "generation", 1, line, "output.") };
    case "found": {
      const value = integerIn(output, "value", 0, line, "output.");
      return { kind, value, generation: integerIn(output, "generation", 1, line, "output.") };
    }
    case "mismatch":
      return { kind, actual: integerIn(output, "actual", 1, line, "output.") };
  }
}

function objectIn(fields: Fields, name: string, line: number): Fields {
  const value = fields[name];
  if (!isFields(value)) throw fieldError(line, name, "an object", value);
  return value;
}

function integerIn(fields: Fields, name: string, min: number, line: number, within = ""): number {
  const value = fields[name];
  if (!(typeof value === "number" && Number.isSafeInteger(value) && value >= min))
    throw fieldError(line, `${within}${name}`, `an integer from ${min} on`, value);
  return value;
}

function timeIn({ atMs }: Fields, line: number): number {
  if (!(typeof atMs === "number" && Number.isFinite(atMs))) throw fieldError(line, "atMs", "a number", atMs);
  return atMs;
}
