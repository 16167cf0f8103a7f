/**
 * What one entry costs the state machine, in a small cluster and in large ones that are equally full: twenty VMs per
 * worker; tenants, groups and racks in proportion. Entries are applied one by one, as under light load, and in batches,
 * as under heavy load.
 *
 * The state after an entry is thrown away, so that every entry meets a cluster of the stated size.
 */
import {
  type AntiAffinity,
  type ApplyResult,
  applyEntries,
  type ClusterState,
  type Command,
  type CommandEntry,
  emptyState,
  encodeRequest,
  stampRequest,
  vmOf,
  vmSpec,
} from "../core/index.ts";
import { median } from "./figures.ts";

const SIZES = [100, 10_000, 100_000] as const;
const PER_WORKER = 20;
const WORKERS_PER_RACK = 40;
const VMS_PER_GROUP = 10;
const VMS_PER_TENANT = 50;
/** Entries of one kind, the same number at each size. */
const ENTRIES = 2000;
const BATCHES = [1, 50];
const ROUNDS = 9;

const KINDS = ["create", "place", "observe", "delete"] as const;
type Kind = (typeof KINDS)[number];

/** A cluster whose VMs run, except some that wait for a worker. */
class Cluster {
  readonly state: ClusterState;
  readonly #size: number;
  readonly #workers: number;
  readonly #waiting: number;

  constructor(size: number) {
    this.#size = size;
    this.#workers = size / PER_WORKER;
    this.#waiting = Math.max(Math.max(...BATCHES), size / 50);
    const ids = Array.from({ length: this.#workers }, (_, at) => at + 1);
    const running = Array.from({ length: size }, (_, nth) => nth);
    const waiting = Array.from({ length: this.#waiting }, (_, at) => size + at);
    let state = applied(
      emptyState(),
      ids.flatMap((id) => registration(id)),
    );
    state = applied(
      state,
      running.flatMap((nth) => [this.#create(nth), this.#place(nth)]),
    );
    state = applied(
      state,
      running.map((nth) => seen(state, nth, "running")),
    );
    this.state = applied(
      state,
      waiting.map((nth) => this.#create(nth)),
    );
    if (vmOf(this.state, "vm-0")?.state !== "Running") throw new Error("the machines do not run");
  }

  /** Applied to the initial state. In a small cluster several name the same VM, though not within a batch. */
  entries(kind: Kind | "mix"): readonly CommandEntry[] {
    return Array.from({ length: ENTRIES }, (_, at) => {
      const own = kind === "mix" ? (KINDS[at % KINDS.length] ?? "create") : kind;
      return entryOf(this.state.appliedIndex + 1 + at, this.#command(own, at));
    });
  }

  #command(kind: Kind, at: number): Command {
    // Spread over all VMs, so that entries that follow each other are far apart.
    const nth = (at * Math.max(1, this.#size / ENTRIES)) % this.#size;
    switch (kind) {
      case "create":
        return this.#create(this.#size + this.#waiting + at);
      case "place":
        return this.#place(this.#size + (at % this.#waiting));
      case "observe":
        return seen(this.state, nth, "failed");
      case "delete":
        return { kind: "deleteVm", name: `vm-${nth}`, expectedGeneration: null };
    }
  }

  #create(nth: number): Command {
    const tenant = `tenant-${Math.floor((nth % this.#size) / VMS_PER_TENANT)}`;
    const group = `group-${Math.floor(nth / VMS_PER_GROUP)}`;
    const rule: AntiAffinity = { group, softWeight: null, maxPerDomain: VMS_PER_GROUP, scope: "rack" };
    return { kind: "createVm", name: `vm-${nth}`, spec: vmSpec({ tenant, antiAffinity: [rule] }) };
  }

  #place(nth: number): Command {
    return { kind: "placeVm", name: `vm-${nth}`, epoch: 0, workerId: 1 + (nth % this.#workers) };
  }
}

function registration(id: number): Command[] {
  const topology = { datacenter: "dc", zone: "zone", rack: `rack-${Math.floor(id / WORKERS_PER_RACK)}` };
  const capacity = { vcpus: 1000, memoryMiB: 1_000_000, diskGiB: 100_000 };
  const facts = { capacity, features: [], topology, costPerHour: 0, driver: "bench", guestsVia: [] };
  return [
    { kind: "announceNode", nodeId: id, peerId: `peer-${id}`, addresses: [`host-${id}:7000`] },
    { kind: "registerWorker", workerId: id, bootId: 1, facts },
  ];
}

function seen(state: ClusterState, nth: number, phase: "running" | "failed"): Command {
  const vm = vmOf(state, `vm-${nth}`);
  if (vm === null || vm.workerId === null) throw new Error(`vm-${nth} is nowhere`);
  const machines = [{ name: vm.name, epoch: vm.epoch, phase, reason: "" }];
  return { kind: "observe", workerId: vm.workerId, bootId: 1, machines, jobs: [] };
}

function entryOf(index: number, command: Command): CommandEntry {
  const data = stampRequest(encodeRequest({ session: null, command }), { wallMs: 1000, proposer: 1 });
  return { index, term: 1, data };
}

function applied(before: ClusterState, commands: readonly Command[]): ClusterState {
  const from = before.appliedIndex + 1;
  const entries = commands.map((command, at) => entryOf(from + at, command));
  const { state, results } = applyEntries(before, entries);
  demandDone(results);
  return state;
}

/** A refused entry would cost less than the one to be measured. */
function demandDone(results: readonly ApplyResult[]): void {
  const refused = results.find((result) => !result.ok);
  if (refused !== undefined) throw new Error(`an entry was refused: ${JSON.stringify(refused)}`);
}

/** Microseconds per entry. */
function cost(state: ClusterState, entries: readonly CommandEntry[], batch: number): number {
  const rates = Array.from({ length: ROUNDS }, () => {
    const startedMs = performance.now();
    for (let at = 0; at < entries.length; at += batch)
      demandDone(applyEntries(state, entries.slice(at, at + batch)).results);
    return ((performance.now() - startedMs) * 1000) / entries.length;
  });
  return median(rates);
}

export function apply(): void {
  const clusters = SIZES.map((size) => new Cluster(size));
  const rows = BATCHES.flatMap((batch) =>
    ([...KINDS, "mix"] as const).map((kind) => {
      const work = clusters.map((cluster) => ({ state: cluster.state, entries: cluster.entries(kind) }));
      // The code is compiled before the first size is measured.
      for (const { state, entries } of work) cost(state, entries, batch);
      const [small = 0, middle = 0, large = 0] = work.map(({ state, entries }) => cost(state, entries, batch));
      return {
        entry: kind,
        batch,
        us_at_100: rounded(small),
        us_at_10_000: rounded(middle),
        us_at_100_000: rounded(large),
        large_to_small: rounded(large / small),
      };
    }),
  );
  console.table(rows);
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
