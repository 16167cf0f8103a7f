/**
 * The state machine against an obvious model: plain Maps, nothing shared, no batches, every session's every answer
 * kept for ever.
 */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ApplyResult, NO_PLACEMENT, type VmSpec, vmSpec } from "../domain/index.ts";
import {
  applyEntries,
  type ClusterState,
  type Command,
  type CommandEntry,
  type CommandRequest,
  decodeEntryData,
  decodeSnapshot,
  emptyState,
  encodeRequest,
  encodeSnapshot,
  getVm,
  listVms,
  stampRequest,
} from "./index.ts";

// ---- Arbitrary histories: few names, sessions and generations, so that they meet

type Step =
  | { readonly do: "open"; readonly token: number }
  | { readonly do: "close"; readonly token: number; readonly sequence: number; readonly behind: number }
  | {
      readonly do: "vm";
      readonly token: number | null;
      readonly sequence: number;
      readonly behind: number;
      readonly command: VmCommand;
    };

const shortSpec = fc.integer({ min: 0, max: 1000 }).map((priority) => vmSpec({ priority }));
const shortName = fc.constantFrom("a", "b", "c", "web-1");
const shortGeneration = fc.integer({ min: 1, max: 3 });
type VmCommand = Extract<Command, { readonly kind: "createVm" | "updateVm" | "deleteVm" }>;

const shortCommand: fc.Arbitrary<VmCommand> = fc.oneof(
  fc.record({ kind: fc.constant("createVm"), name: shortName, spec: shortSpec }),
  fc.record({ kind: fc.constant("updateVm"), name: shortName, expectedGeneration: shortGeneration, spec: shortSpec }),
  fc.record({ kind: fc.constant("deleteVm"), name: shortName, expectedGeneration: fc.option(shortGeneration) }),
);
const token = fc.nat(2);
const sequence = fc.integer({ min: 1, max: 8 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant("open"), token }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("close"), token, sequence, behind: fc.nat(7) }) },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant("vm"),
      token: fc.option(token, { freq: 5 }),
      sequence,
      behind: fc.nat(7),
      command: shortCommand,
    }),
  },
);
const steps = fc.array(fc.record({ step, wallMs: fc.nat(50), gap: fc.integer({ min: 1, max: 3 }) }), { maxLength: 60 });

/**
 * Steps as entries. A step names the session last opened with its token; entry indexes are the session ids, so that
 * is known without applying.
 */
function entriesOf(history: readonly { step: Step; wallMs: number; gap: number }[]): CommandEntry[] {
  const entries: CommandEntry[] = [];
  const model = new Model();
  let index = 0;
  for (const { step, wallMs, gap } of history) {
    index += gap;
    const next = requestOf(step, model);
    entries.push({ index, term: 1, data: stampRequest(encodeRequest(next), { wallMs, proposer: 1 }) });
    model.apply(next, index, wallMs);
  }
  return entries;
}

function requestOf(step: Step, model: Model): CommandRequest {
  if (step.do === "open") return { session: null, command: { kind: "openSession", clientToken: `t${step.token}` } };
  const id = step.token === null ? null : (model.lastIds.get(`t${step.token}`) ?? 999_999);
  const lowestUnacknowledged = Math.max(1, step.sequence - step.behind);
  const named = id === null ? null : { id, sequence: step.sequence, lowestUnacknowledged };
  return { session: named, command: step.do === "close" ? { kind: "closeSession" } : step.command };
}

/** The slow and obvious version. */
class Model {
  readonly vms = new Map<
    string,
    {
      generation: number;
      spec: VmSpec;
      createdIndex: number;
      updatedIndex: number;
      createdAtMs: number;
      updatedAtMs: number;
    }
  >();
  readonly sessions = new Map<number, { token: string; lowest: number; answers: Map<number, ApplyResult> }>();
  readonly lastIds = new Map<string, number>();
  timeMs = 0;

  apply({ session: named, command }: CommandRequest, index: number, wallMs: number): ApplyResult {
    this.timeMs = Math.max(this.timeMs, wallMs);
    if (command.kind === "openSession") {
      for (const [id, open] of this.sessions)
        if (open.token === command.clientToken) return { ok: true, kind: "sessionOpened", sessionId: id };
      this.sessions.set(index, { token: command.clientToken, lowest: 1, answers: new Map() });
      this.lastIds.set(command.clientToken, index);
      return { ok: true, kind: "sessionOpened", sessionId: index };
    }
    if (named === null) return this.execute(command, index);
    const open = this.sessions.get(named.id);
    if (open === undefined) return { ok: false, refusal: { kind: "sessionExpired", sessionId: named.id } };
    if (named.sequence < open.lowest)
      return {
        ok: false,
        refusal: { kind: "sequenceTooOld", sequence: named.sequence, lowestUnacknowledged: open.lowest },
      };
    open.lowest = Math.max(open.lowest, named.lowestUnacknowledged);
    const earlier = open.answers.get(named.sequence);
    if (earlier !== undefined) return earlier;
    if (command.kind === "closeSession") {
      this.sessions.delete(named.id);
      return { ok: true, kind: "sessionClosed", sessionId: named.id };
    }
    const answer = this.execute(command, index);
    open.answers.set(named.sequence, answer);
    return answer;
  }

  execute(command: Command, index: number): ApplyResult {
    if (command.kind !== "createVm" && command.kind !== "updateVm" && command.kind !== "deleteVm")
      throw new Error("not a VM command");
    const vm = this.vms.get(command.name);
    if (command.kind === "createVm") {
      if (vm !== undefined) return { ok: false, refusal: { kind: "vmExists" } };
      this.vms.set(command.name, {
        generation: 1,
        spec: command.spec,
        createdIndex: index,
        updatedIndex: index,
        createdAtMs: this.timeMs,
        updatedAtMs: this.timeMs,
      });
      return { ok: true, kind: "vmCreated", generation: 1 };
    }
    if (vm === undefined) return { ok: false, refusal: { kind: "vmNotFound" } };
    const { expectedGeneration: expected } = command;
    if (expected !== null && expected !== vm.generation)
      return { ok: false, refusal: { kind: "generationMismatch", expected, actual: vm.generation } };
    if (command.kind === "deleteVm") {
      this.vms.delete(command.name);
      return { ok: true, kind: "vmDeleted", generation: vm.generation };
    }
    vm.generation++;
    vm.spec = command.spec;
    vm.updatedIndex = index;
    vm.updatedAtMs = this.timeMs;
    return { ok: true, kind: "vmUpdated", generation: vm.generation };
  }
}

function snapshotBytes(state: ClusterState): string {
  return [...encodeSnapshot(state, 1 << 20)].map((chunk) => Buffer.from(chunk).toString("hex")).join("");
}

function one(state: ClusterState, entry: CommandEntry): { state: ClusterState; result: ApplyResult | undefined } {
  const outcome = applyEntries(state, [entry]);
  return { state: outcome.state, result: outcome.results[0] };
}

describe("apply", () => {
  test("agrees with the model, entry for entry", () => {
    fc.assert(
      fc.property(steps, (history) => {
        const entries = entriesOf(history);
        const model = new Model();
        let state = emptyState();
        for (const entry of entries) {
          const decoded = decodeEntryData(entry.data);
          if (decoded.invalid !== undefined) throw new Error("entriesOf made an invalid entry");
          const expected = model.apply(decoded.request, entry.index, decoded.stamp.wallMs);
          const { state: next, result } = one(state, entry);
          expect(result).toEqual(expected);
          state = next;
        }
        expect(state.timeMs).toBe(model.timeMs);
        expect(state.vmCount).toBe(model.vms.size);
        expect(state.sessionCount).toBe(model.sessions.size);
        const names = [...model.vms.keys()].sort();
        expect(listVms(state, { limit: 1000 }).vms.map((vm) => vm.name)).toEqual(names);
        for (const [name, vm] of model.vms)
          expect(getVm(state, name)).toEqual({
            ...vm,
            name,
            tenant: "default",
            state: "Pending",
            desired: "running",
            epoch: 0,
            ...NO_PLACEMENT,
          });
      }),
      { numRuns: 400 },
    );
  });

  test("however a log is cut into batches, state and results are the same", () => {
    fc.assert(
      fc.property(steps, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (history, sizes) => {
        const entries = entriesOf(history);
        const whole = applyEntries(emptyState(), entries);
        let state = emptyState();
        const results: ApplyResult[] = [];
        for (let at = 0, cut = 0; at < entries.length; cut++) {
          const size = sizes[cut % sizes.length] ?? 1;
          const outcome = applyEntries(state, entries.slice(at, at + size));
          state = outcome.state;
          results.push(...outcome.results);
          at += size;
        }
        expect(results).toEqual(whole.results);
        expect(snapshotBytes(state)).toBe(snapshotBytes(whole.state));
      }),
      { numRuns: 300 },
    );
  });

  test("a replica restored from a snapshot goes on as the one that made it", () => {
    fc.assert(
      fc.property(steps, fc.nat(60), (history, cut) => {
        const entries = entriesOf(history);
        const before = applyEntries(emptyState(), entries.slice(0, cut)).state;
        const restored = decodeSnapshot(encodeSnapshot(before, 100));
        const rest = entries.slice(cut);
        const there = applyEntries(before, rest);
        const here = applyEntries(restored, rest);
        expect(here.results).toEqual(there.results);
        expect(snapshotBytes(here.state)).toBe(snapshotBytes(there.state));
      }),
      { numRuns: 300 },
    );
  });

  test("a request in a session happens once, however often and late its copies come", () => {
    const copies = fc.array(fc.nat(19), { maxLength: 60 });
    fc.assert(
      fc.property(fc.array(shortCommand, { minLength: 20, maxLength: 20 }), copies, (commands, order) => {
        const opened = one(
          emptyState(),
          entryOf(1, { session: null, command: { kind: "openSession", clientToken: "t" } }),
        );
        let state = opened.state;
        let index = 1;
        const first = new Map<number, ApplyResult | undefined>();
        for (const at of order) {
          const command = commands[at];
          if (command === undefined) continue;
          const before = state;
          const copy = entryOf(++index, { session: { id: 1, sequence: at + 1, lowestUnacknowledged: 1 }, command });
          const { state: next, result } = one(state, copy);
          state = next;
          if (first.has(at)) {
            expect(result).toEqual(first.get(at));
            expect(state.vms).toBe(before.vms);
          } else first.set(at, result);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("whatever the bytes are, there is a result, and twice the same", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 20 }), (blobs) => {
        const entries = blobs.map((data, i) => ({ index: i + 1, term: 1, data }));
        const { state, results } = applyEntries(emptyState(), entries);
        expect(results).toHaveLength(blobs.length);
        expect(state.vmCount).toBe(0);
        const copies = entries.map((entry) => ({ ...entry, data: new Uint8Array(entry.data) }));
        expect(applyEntries(emptyState(), copies).results).toEqual(results);
      }),
    );
  });

  test("a state that was made is frozen", () => {
    const create = { kind: "createVm", name: "a", spec: vmSpec() } as const;
    const { state } = applyEntries(emptyState(), [entryOf(1, { session: null, command: create })]);
    expect(() => Object.assign(state, { timeMs: 0 })).toThrow(TypeError);
  });

  test("nothing that was given is changed: all of it frozen, the outcome is the same", () => {
    fc.assert(
      fc.property(steps, (history) => {
        const entries = entriesOf(history);
        let frozen = deepFreeze(emptyState());
        let plain = emptyState();
        for (const entry of entries) {
          const before = snapshotBytes(frozen);
          const next = applyEntries(frozen, [Object.freeze(entry)]);
          expect(snapshotBytes(frozen)).toBe(before);
          const usual = applyEntries(plain, [entry]);
          expect(next.results).toEqual(usual.results);
          frozen = deepFreeze(next.state);
          plain = usual.state;
        }
        expect(snapshotBytes(frozen)).toBe(snapshotBytes(plain));
      }),
      { numRuns: 60 },
    );
  });
});

function entryOf(index: number, original: CommandRequest): CommandEntry {
  return { index, term: 1, data: stampRequest(encodeRequest(original), { wallMs: index, proposer: 1 }) };
}

/** What is frozen is not looked at again: it is shared by thousands of states. */
const frozenDeeply = new WeakSet<object>();

function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || frozenDeeply.has(value)) return value;
  frozenDeeply.add(value);
  if (value instanceof Map) {
    for (const part of value.values()) deepFreeze(part);
    const refuse = (): never => {
      throw new TypeError("a Map of a state was about to change");
    };
    Object.assign(value, { set: refuse, delete: refuse, clear: refuse });
  } else {
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return Object.freeze(value);
}
