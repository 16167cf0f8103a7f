/**
 * Leader and agents together: whatever is lost, late or doubled between them, whoever crashes, and however far clocks differ within the bound, no VM executes
 * in two places; and when all of that is over, every VM is as it was asked to be. Consensus is left out: what is proposed is committed, or lost.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Directive, encodeDirective, FENCE_GRACE_MS } from "../agent/index.ts";
import { type Command, tableValues, type VmRecord } from "../cluster/index.ts";
import { Bench, FACTS, Office, type Sent } from "../testing/index.ts";

const HOSTS = [1, 2] as const;
const NAMES = ["a", "b"] as const;
const DRIFT_BOUND = 0.05;
const MOMENT_MS = 100;

interface Host {
  readonly id: number;
  readonly bench: Bench;
  /** How fast its clock is against the leader's. */
  readonly rate: number;
  /** Reports that the leader has not heard, those that it has not answered, and answers on their way. */
  reports: Sent[];
  heard: Sent[];
  answers: { readonly sent: Sent; readonly directive: Directive }[];
  taken: number;
  /** Nothing that it says arrives; or nothing that it is answered. */
  isCut: boolean;
  isHeld: boolean;
}

type Step =
  | { readonly do: "tick"; readonly ms: number }
  | {
      readonly do: "cut" | "hold" | "arrive" | "answer" | "receive" | "drop" | "crash" | "power" | "drain" | "host";
      readonly host: number;
    }
  | { readonly do: "handOver" | "lose" }
  | { readonly do: "user"; readonly name: string; readonly wish: Wish };
type Wish = "create" | "delete" | "stop" | "start" | "restart" | "migrate";

class World {
  readonly office = new Office();
  readonly hosts: readonly Host[];
  readonly #startMs = this.office.nowMs;

  constructor(rates: readonly number[], waits: boolean) {
    this.#waits = waits;
    this.hosts = HOSTS.map((id, at): Host => {
      const bench = new Bench({ ...FACTS }, id);
      return {
        id,
        bench,
        rate: rates[at] ?? 1,
        reports: [],
        heard: [],
        answers: [],
        taken: 0,
        isCut: false,
        isHeld: false,
      };
    });
    for (const id of HOSTS)
      this.office.commit({ kind: "announceNode", nodeId: id, peerId: `peer-${id}`, addresses: [`host-${id}:1`] });
    for (const host of this.hosts) {
      this.#clock(host);
      this.#look(host);
      this.#exchange(host);
      this.#exchange(host);
    }
  }
  readonly #waits: boolean;

  // ---- Time

  #clock({ bench, rate }: Host): void {
    bench.nowMs = 1000 + (this.office.nowMs - this.#startMs) * rate;
  }

  tick(ms: number): void {
    for (let passed = 0; passed < ms; passed += MOMENT_MS) {
      this.office.pass(MOMENT_MS);
      for (const host of this.hosts) {
        const { bench } = host;
        this.#clock(host);
        // It takes as long as it may to end what runs.
        if (Number.isFinite(bench.fenceAtMs) && bench.nowMs >= bench.fenceAtMs + FENCE_GRACE_MS) this.#fence(bench);
        if (bench.nowMs >= bench.wakeAtMs) {
          bench.wakeAtMs = Number.POSITIVE_INFINITY;
          bench.step({ kind: "wake" });
          this.#collect(host);
        }
        this.#goOn(host);
      }
      this.#check();
    }
  }

  /** What goes by itself, as long as it may. */
  #goOn(host: Host): void {
    host.bench.finish();
    this.#look(host);
    if (host.isCut) return;
    while (host.reports.length > 0) this.#arrive(host);
    while (host.heard.length > 0) this.#answer(host);
    while (!host.isHeld && host.answers.length > 0) this.#receive(host);
  }

  #fence(bench: Bench): void {
    for (const { name, epoch, phase } of [...bench.machines.values()]) {
      if (phase === "starting" || phase === "running" || phase === "stopping")
        bench.put(name, epoch, "failed", "fenced");
    }
  }

  #check(): void {
    for (const name of NAMES) {
      const places = this.hosts.filter(({ bench }) => {
        const phase = bench.machines.get(name)?.phase;
        return phase === "starting" || phase === "running" || phase === "stopping";
      });
      expect(places.map(({ id }) => id).length, `places of ${name}`).toBeLessThanOrEqual(1);
    }
  }

  // ---- What is said

  #collect(host: Host): void {
    host.reports.push(...host.bench.sent.slice(host.taken));
    host.taken = host.bench.sent.length;
  }

  #look(host: Host): void {
    host.bench.look();
    this.#collect(host);
  }

  #arrive(host: Host): void {
    const sent = host.reports.shift();
    if (sent === undefined) return;
    this.office.orchestrator.hear(sent.report, this.office.nowMs);
    this.office.turn();
    host.heard.push(sent);
  }

  #answer(host: Host): void {
    const sent = host.heard.shift();
    if (sent === undefined) return;
    const directive = this.office.orchestrator.directive(sent.report, [1], this.office.nowMs);
    if (directive !== null) host.answers.push({ sent, directive });
  }

  #receive(host: Host): void {
    const answer = host.answers.shift();
    if (answer === undefined) return;
    const { sequence } = answer.sent.report;
    host.bench.leaseUntilMs = Number.POSITIVE_INFINITY;
    host.bench.step({ kind: "answered", sequence, directive: encodeDirective(answer.directive) });
    this.#collect(host);
  }

  #exchange(host: Host): void {
    this.#look(host);
    while (host.reports.length > 0) this.#arrive(host);
    while (host.heard.length > 0) this.#answer(host);
    while (host.answers.length > 0) this.#receive(host);
  }

  // ---- What happens

  do(step: Step): void {
    const host = "host" in step ? this.hosts[step.host] : undefined;
    switch (step.do) {
      case "tick":
        this.tick(step.ms);
        break;
      case "handOver":
        // Whoever waited for the old leader hears nothing.
        for (const one of this.hosts) one.heard = [];
        this.office.handOver();
        break;
      case "lose": {
        let lost = 2;
        this.office.loses = () => lost-- > 0;
        break;
      }
      case "user":
        this.#wish(step.name, step.wish);
        break;
      default:
        if (host !== undefined) this.#happen(host, step);
    }
    this.#check();
  }

  #happen(host: Host, step: Step): void {
    const { bench } = host;
    switch (step.do) {
      case "cut":
        host.isCut = !host.isCut;
        break;
      case "hold":
        host.isHeld = !host.isHeld;
        break;
      case "arrive":
        this.#arrive(host);
        break;
      case "answer":
        this.#answer(host);
        break;
      case "receive":
        this.#receive(host);
        break;
      case "drop":
        host.reports.shift();
        host.answers.shift();
        break;
      case "host": {
        const [machine] = bench.machines.values();
        if (machine?.phase === "running") bench.put(machine.name, machine.epoch, "failed", "crashed");
        break;
      }
      case "power":
        bench.machines.clear();
        bench.fenceAtMs = Number.NEGATIVE_INFINITY;
        bench.boot();
        this.#look(host);
        break;
      case "crash":
        bench.boot();
        this.#look(host);
        break;
      case "drain": {
        const isDraining = this.office.worker(host.id).availability === "draining";
        const availability = isDraining ? "online" : "draining";
        this.office.commit({ kind: "setAvailability", workerId: host.id, availability });
        break;
      }
      default:
        break;
    }
  }

  #wish(name: string, wish: Wish): void {
    if (wish === "create") {
      this.office.create(name, { onWorkerLost: this.#waits ? "wait" : "restart" });
      return;
    }
    const commands: Readonly<Record<Exclude<Wish, "create">, Command>> = {
      delete: { kind: "deleteVm", name, expectedGeneration: null },
      stop: { kind: "setVmDesired", name, desired: "stopped" },
      start: { kind: "setVmDesired", name, desired: "running" },
      restart: { kind: "restartVm", name },
      migrate: { kind: "migrateVm", name, to: null },
    };
    this.office.commit(commands[wish]);
  }

  // ---- The end of all trouble

  settle(): void {
    this.office.loses = () => false;
    for (const { id } of this.hosts) {
      // A host that never came into office has nothing to make available.
      if (this.office.state.workerCount > 0)
        this.office.commit({ kind: "setAvailability", workerId: id, availability: "online" });
    }
    for (const one of this.hosts) Object.assign(one, { isCut: false, isHeld: false });
    for (let second = 0; second < 400 && !(second > 40 && this.#isSettled()); second++) this.tick(1000);
    for (const vm of this.#vms()) expect(this.#missing(vm), vm.name).toBeNull();
    for (const { id, bench } of this.hosts) {
      for (const name of bench.machines.keys())
        expect(this.#vms().find((vm) => vm.name === name)?.workerId, `${name} on ${id}`).toBe(id);
    }
  }

  #isSettled(): boolean {
    return this.#vms().every((vm) => this.#missing(vm) === null);
  }

  #vms(): readonly VmRecord[] {
    return tableValues(this.office.state.vms);
  }

  #missing(vm: VmRecord): string | null {
    const is = `${vm.state} on ${vm.workerId}, wanted ${vm.desired}`;
    const machine = this.hosts.find(({ id }) => id === vm.workerId)?.bench.machines.get(vm.name);
    switch (vm.desired) {
      case "deleted":
        return is;
      case "stopped":
        return vm.state === "Stopped" && vm.eviction === null ? null : is;
      case "running":
        if (vm.state === "Failed" && vm.relocations === 3) return null;
        return vm.state === "Running" && machine?.phase === "running" && machine.epoch === vm.epoch ? null : is;
    }
  }
}

const host = fc.nat(HOSTS.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant("tick"), ms: fc.constantFrom(500, 1000, 3000, 14_000, 14_000) }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("cut"), host }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("hold", "arrive", "answer", "receive", "drop"), host }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("crash", "power", "drain", "host"), host }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("handOver", "handOver", "lose") }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("user"),
      name: fc.constantFrom(...NAMES),
      wish: fc.constantFrom("create", "create", "delete", "stop", "start", "restart", "migrate"),
    }),
  },
);
const rate = fc.constantFrom(1, 1 / (1 + DRIFT_BOUND), 1 + DRIFT_BOUND);

test("no VM executes in two places, and each is as it was asked to be in the end", () => {
  fc.assert(
    fc.property(
      fc.tuple(rate, rate),
      fc.boolean(),
      fc.array(step, { maxLength: 40, size: "max" }),
      (rates, waits, steps) => {
        const world = new World(rates, waits);
        world.do({ do: "user", name: "a", wish: "create" });
        for (const one of steps) world.do(one);
        world.settle();
      },
    ),
    { numRuns: 100, seed: 1 },
  );
});
