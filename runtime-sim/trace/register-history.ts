/**
 * Calls about single VMs in Jepsen's form, which knows registers alone. Each VM is two of them, and each call about it
 * an operation on either:
 *
 * | register          | holds                                   | create        | update      | delete         |
 * |-------------------|-----------------------------------------|---------------|-------------|----------------|
 * | `vm-1 value`      | what was written; null: there is no VM  | cas null to v | write v     | write null     |
 * | `vm-1 generation` | the generation; null: there is no VM    | cas null to 1 | cas g to g+1| cas g to null  |
 *
 * A refusal had no effect, and is the read that it amounts to: there is none, or its generation is another one. Where
 * it amounts to none ("there is one already") the operation has failed, and says nothing.
 *
 * Every linearizable history of VMs is one of these registers too: a checker that refuses the one refuses the other.
 * It is a little weaker, since what a call says of both at once is said of each alone. Left out: stale reads, which
 * promise nothing; and the generations of a VM with an update of any generation whose outcome is unknown, which no
 * operation on a register is like.
 */
import { type Known, knownOf, VM_FAMILY, type VmInput, type VmOutput } from "../oracles/index.ts";
import type { ClientOperation } from "../workload/index.ts";
import type { HistoryEvent } from "./client-history.ts";

type Value = number | null;

/** `type`: what came of it; `value`: null for a read that has not been answered. */
interface RegisterCall {
  readonly f: "read" | "write" | "cas";
  readonly value: Value | readonly [Value, Value];
  readonly type: "ok" | "fail" | "info";
}

/** A call on both registers of its VM. */
interface VmCall {
  readonly vm: string;
  readonly onValue: RegisterCall;
  /** Null: no operation on a register is like it. */
  readonly onGeneration: RegisterCall | null;
}

interface Line {
  readonly process: number;
  readonly type: "invoke" | RegisterCall["type"];
  readonly f: RegisterCall["f"];
  readonly key: string;
  readonly value: RegisterCall["value"];
  /** Virtual time in nanoseconds. */
  readonly time: number;
  /** The number in a trace, of a call and of a client: for whoever looks for what a checker has found. */
  readonly event: number;
  readonly operation: number;
  readonly client: number;
}

export function registerLines(events: readonly HistoryEvent[]): Line[] {
  const calls = new Map<ClientOperation, VmCall>();
  const withoutGenerations = new Set<string>();
  for (const { operation, isEnd } of events) {
    const call = isEnd ? null : vmCallOf(operation);
    if (call === null) continue;
    calls.set(operation, call);
    if (call.onGeneration === null) withoutGenerations.add(call.vm);
  }
  const lines: Line[] = [];
  const processes = new Processes();
  for (const { operation, isEnd } of events) {
    const call = calls.get(operation);
    if (call === undefined) continue;
    const { vm, onValue, onGeneration } = call;
    lines.push(lineOf(processes, operation, isEnd, `${vm} value`, onValue));
    if (onGeneration !== null && !withoutGenerations.has(vm))
      lines.push(lineOf(processes, operation, isEnd, `${vm} generation`, onGeneration));
  }
  return lines;
}

function lineOf(
  processes: Processes,
  operation: ClientOperation,
  isEnd: boolean,
  key: string,
  { f, value, type }: RegisterCall,
): Line {
  const { id, client, invokedEvent, invokedAtMs, completedEvent, completedAtMs } = operation;
  const name = `${id} ${key}`;
  const about = { f, key, operation: id, client } as const;
  if (!isEnd) {
    const time = nanoseconds(invokedAtMs);
    const asked = f === "read" ? null : value;
    return { process: processes.begin(name), type: "invoke", ...about, value: asked, time, event: invokedEvent };
  }
  const time = nanoseconds(completedAtMs ?? invokedAtMs);
  const process = processes.end(name, type === "info");
  return { process, type, ...about, value, time, event: completedEvent ?? invokedEvent };
}

/** A process does one thing at a time, and nothing more once the outcome of one is unknown. */
class Processes {
  readonly #idle: number[] = [];
  readonly #busy = new Map<string, number>();
  #count = 0;

  begin(name: string): number {
    const process = this.#idle.pop() ?? this.#count++;
    this.#busy.set(name, process);
    return process;
  }

  end(name: string, isLost: boolean): number {
    const process = this.#busy.get(name);
    if (process === undefined) throw new RangeError(`${name} ends and was not called`);
    this.#busy.delete(name);
    if (!isLost) this.#idle.push(process);
    return process;
  }
}

function nanoseconds(ms: number): number {
  return Math.round(ms * 1_000_000);
}

/** Null: it is about no VM, or promises nothing. */
function vmCallOf(operation: ClientOperation): VmCall | null {
  const { asked } = operation;
  if (asked.kind === "read" && asked.consistency === "stale") return null;
  const call = VM_FAMILY.callOf(asked);
  if (call === null) return null;
  const known = knownOf(VM_FAMILY, operation);
  return { vm: call.key, onValue: onValue(call.input, known), onGeneration: onGeneration(call.input, known) };
}

const READ_NONE: RegisterCall = { f: "read", value: null, type: "ok" };

/** What became of a call that is carried out unless it is refused. */
function typeOf(known: Known<VmOutput>): RegisterCall["type"] {
  if (known === "unknown") return "info";
  if (known === "failed") return "fail";
  return known.output.kind === "written" || known.output.kind === "deleted" ? "ok" : "fail";
}

function onValue(input: VmInput, known: Known<VmOutput>): RegisterCall {
  const output = typeof known === "string" ? null : known.output;
  if (output?.kind === "absent") return READ_NONE;
  const type = typeOf(known);
  switch (input.kind) {
    case "create":
      return { f: "cas", value: [null, input.value], type };
    case "update":
      return { f: "write", value: input.value, type };
    case "delete":
      return { f: "write", value: null, type };
    case "get":
      return output?.kind === "found"
        ? { f: "read", value: output.value, type: "ok" }
        : { f: "read", value: null, type };
  }
}

function onGeneration(input: VmInput, known: Known<VmOutput>): RegisterCall | null {
  const output = typeof known === "string" ? null : known.output;
  if (output?.kind === "absent") return READ_NONE;
  if (output?.kind === "mismatch") return { f: "read", value: output.actual, type: "ok" };
  const type = typeOf(known);
  switch (input.kind) {
    case "create":
      return { f: "cas", value: [null, 1], type };
    case "update": {
      const before = input.expectedGeneration ?? (output?.kind === "written" ? output.generation - 1 : null);
      if (before !== null) return { f: "cas", value: [before, before + 1], type };
      // Whatever value a failed write has, it did not happen.
      return type === "info" ? null : { f: "write", value: null, type };
    }
    case "delete": {
      const before = input.expectedGeneration ?? (output?.kind === "deleted" ? output.generation : null);
      return before === null ? { f: "write", value: null, type } : { f: "cas", value: [before, null], type };
    }
    case "get":
      return output?.kind === "found"
        ? { f: "read", value: output.generation, type: "ok" }
        : { f: "read", value: null, type };
  }
}
