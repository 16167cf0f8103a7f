import { expect, test } from "vitest";
import {
  type Command,
  DEFAULT_COUNT_LIMITS,
  type Entry,
  encodeConfigurationRecord,
  encodeRequest,
  encodeSnapshot,
  Node,
  stampRequest,
  vmOf,
  vmSpec,
} from "../index.ts";
import { Applier, type Awaited } from "./applier.ts";

const MEMBERS = [{ id: 1, peerId: "peer-1" }];
const { snapshot } = Node.genesis("test", 1, MEMBERS);
const JOINT = { ...snapshot.meta.configuration, outgoing: [1] };

function entry(index: number, kind: Entry["kind"], data: Uint8Array = new Uint8Array(0), term = 1): Entry {
  return { index, term, kind, data, chain: `chain-${index}` };
}

function create(index: number, name: string): Entry {
  const command: Command = { kind: "createVm", name, spec: vmSpec({}) };
  const data = stampRequest(encodeRequest({ session: null, command }), { wallMs: 1000, proposer: 1 });
  return entry(index, "command", data);
}

function configuration(index: number, isJoint: boolean): Entry {
  const record = { configuration: isJoint ? JOINT : snapshot.meta.configuration, link: null };
  return entry(index, "configuration", encodeConfigurationRecord(record));
}

/** An applier, and all that it tells, in order. */
function applier(): { readonly applier: Applier; readonly told: string[]; apply(...entries: Entry[]): string[] } {
  const made = new Applier(snapshot, DEFAULT_COUNT_LIMITS);
  const told: string[] = [];
  const listener: Parameters<Applier["apply"]>[1] = {
    stateChanged: (_, { vms }) => told.push(`changed ${[...vms].join(" ")}`),
    reached: ({ origin, term }, { index }, result) =>
      told.push(`${nameOf(origin)}, term ${term}: ${index} is ${result === null ? "no command" : result.ok}`),
    skipped: (origin) => told.push(`${nameOf(origin)} skipped`),
    finalConfiguration: ({ index }) => told.push(`final ${index}`),
  };
  return {
    applier: made,
    told,
    apply: (...entries) => {
      made.apply(entries, listener);
      return told.splice(0);
    },
  };
}

function nameOf(origin: Awaited["origin"]): string {
  return origin.kind === "client" ? `client ${origin.ticket}` : origin.key;
}

const CLIENT = { origin: { kind: "client", ticket: 5 }, term: 1 } as const;
const OWN = { origin: { kind: "orchestrator", term: 1, key: "vm:a" }, term: 1 } as const;

test("whoever waits for an entry is told once it is applied, after the change as a whole", () => {
  const { applier: made, apply } = applier();
  made.expect(1, CLIENT);
  made.expect(3, OWN);
  expect(apply(create(1, "a"), create(2, "b"), create(3, "a"))).toEqual([
    "changed a b",
    "client 5, term 1: 1 is true",
    "vm:a, term 1: 3 is false",
  ]);
  expect(made.appliedIndex).toBe(3);
  expect(vmOf(made.state, "b")?.name).toBe("b");
  expect(apply(create(4, "c"))).toEqual(["changed c"]);
});

test("an entry of a leader alone changes nothing, and is told to whoever expected another there", () => {
  const { applier: made, apply } = applier();
  made.expect(1, CLIENT);
  const before = made.state;
  expect(apply(entry(1, "noop"))).toEqual(["client 5, term 1: 1 is no command"]);
  expect(made.state).toBe(before);
  expect(made.appliedIndex).toBe(1);
});

test("a joint configuration is told to whoever waits for it, the final one to all", () => {
  const { applier: made, apply } = applier();
  made.expect(1, CLIENT);
  expect(apply(configuration(1, true), configuration(2, false))).toEqual([
    "changed ",
    "client 5, term 1: 1 is no command",
    "final 2",
  ]);
});

test("results are those of commands, in the order of the log", () => {
  const { applier: made } = applier();
  const silent = { stateChanged() {}, reached() {}, skipped() {}, finalConfiguration() {} };
  const applied = made.apply([entry(1, "noop"), create(2, "a"), create(3, "a")], silent);
  expect(applied.map(({ result }) => result?.ok ?? null)).toEqual([null, true, false]);
});

test("a snapshot takes the place of entries: whoever waited for one of them learns no outcome", () => {
  const source = applier();
  source.apply(create(1, "a"), create(2, "b"));
  const { applier: made, told, apply } = applier();
  made.expect(2, CLIENT);
  made.expect(3, OWN);
  expect(made.offer([...encodeSnapshot(source.applier.state, 1000)])).toBe(true);
  made.install(2, {
    stateChanged() {},
    reached() {},
    skipped: (origin) => told.push(`${nameOf(origin)} skipped`),
    finalConfiguration() {},
  });
  expect(told.splice(0)).toEqual(["client 5 skipped"]);
  expect(made.appliedIndex).toBe(2);
  expect(apply(create(3, "c"))).toEqual(["changed c", "vm:a, term 1: 3 is true"]);
  expect(vmOf(made.state, "a")?.name).toBe("a");
});

test("what is no snapshot is not taken over, and nothing is installed that was not offered", () => {
  const { applier: made } = applier();
  expect(made.offer([new Uint8Array([1, 2, 3])])).toBe(false);
  const silent = { stateChanged() {}, reached() {}, skipped() {}, finalConfiguration() {} };
  expect(() => made.install(9, silent)).toThrow("was not decoded");
});
