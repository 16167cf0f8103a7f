/**
 * Leader and agents together. Whatever is lost, late or doubled between them, whoever crashes, and however far clocks
 * differ within the bound, no VM executes in two places. When the faults are over, every VM is as it was asked to be.
 * Consensus is left out: what is proposed is committed, or lost.
 */

import fc from "fast-check";
import { expect, test } from "vitest";
import { type Directive, encodeDirective, FENCE_GRACE_MS } from "../agent/index.ts";
import { type Command, tableValues } from "../cluster/index.ts";
import type { VmRecord } from "../domain/index.ts";
import { AgentHarness, FACTS, OrchestratorHarness, type Sent } from "../testing/index.ts";

const HOSTS = [1, 2] as const;
const NAMES = ["a", "b"] as const;
const DRIFT_BOUND = 0.05;
const MOMENT_MS = 100;

interface TestHost {
  readonly id: number;
  readonly agent: AgentHarness;
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

class Trial {
  readonly harness = new OrchestratorHarness();
  readonly hosts: readonly TestHost[];
  readonly #startMs = this.harness.nowMs;

  constructor(rates: readonly number[], waits: boolean) {
    this.#waits = waits;
    this.hosts = HOSTS.map((id, at): TestHost => {
      const agent = new AgentHarness({ ...FACTS }, id);
      return {
        id,
        agent,
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
      this.harness.commit({ kind: "announceNode", nodeId: id, peerId: `peer-${id}`, addresses: [`host-${id}:1`] });
    for (const host of this.hosts) {
      this.#clock(host);
      this.#look(host);
      this.#exchange(host);
      this.#exchange(host);
    }
  }
  readonly #waits: boolean;

  // ---- Time

  #clock({ agent, rate }: TestHost): void {
    agent.nowMs = 1000 + (this.harness.nowMs - this.#startMs) * rate;
  }

  tick(ms: number): void {
    for (let passed = 0; passed < ms; passed += MOMENT_MS) {
      this.harness.pass(MOMENT_MS);
      for (const host of this.hosts) {
        const { agent } = host;
        this.#clock(host);
        // It takes as long as it may to end what runs.
        if (Number.isFinite(agent.fenceAtMs) && agent.nowMs >= agent.fenceAtMs + FENCE_GRACE_MS) this.#fence(agent);
        if (agent.nowMs >= agent.wakeAtMs) {
          agent.wakeAtMs = Number.POSITIVE_INFINITY;
          agent.step({ kind: "wake" });
          this.#collect(host);
        }
        this.#resume(host);
      }
      this.#check();
    }
  }

  /** What goes by itself, as long as it may. */
  #resume(host: TestHost): void {
    host.agent.finish();
    this.#look(host);
    if (host.isCut) return;
    while (host.reports.length > 0) this.#arrive(host);
    while (host.heard.length > 0) this.#answer(host);
    while (!host.isHeld && host.answers.length > 0) this.#receive(host);
  }

  #fence(agent: AgentHarness): void {
    for (const { name, epoch, phase } of [...agent.machines.values()]) {
      if (phase === "starting" || phase === "running" || phase === "stopping")
        agent.put(name, epoch, "failed", "fenced");
    }
  }

  #check(): void {
    for (const name of NAMES) {
      const places = this.hosts.filter(({ agent }) => {
        const phase = agent.machines.get(name)?.phase;
        return phase === "starting" || phase === "running" || phase === "stopping";
      });
      expect(places.map(({ id }) => id).length, `places of ${name}`).toBeLessThanOrEqual(1);
    }
  }

  // ---- What is said

  #collect(host: TestHost): void {
    host.reports.push(...host.agent.sent.slice(host.taken));
    host.taken = host.agent.sent.length;
  }

  #look(host: TestHost): void {
    host.agent.look();
    this.#collect(host);
  }

  #arrive(host: TestHost): void {
    const sent = host.reports.shift();
    if (sent === undefined) return;
    this.harness.orchestrator.hear(sent.report, this.harness.nowMs);
    this.harness.turn();
    host.heard.push(sent);
  }

  #answer(host: TestHost): void {
    const sent = host.heard.shift();
    if (sent === undefined) return;
    const directive = this.harness.orchestrator.directive(sent.report, [1], this.harness.nowMs);
    if (directive !== null) host.answers.push({ sent, directive });
  }

  #receive(host: TestHost): void {
    const answer = host.answers.shift();
    if (answer === undefined) return;
    const { sequence } = answer.sent.report;
    host.agent.leaseUntilMs = Number.POSITIVE_INFINITY;
    host.agent.step({ kind: "answered", sequence, directive: encodeDirective(answer.directive) });
    this.#collect(host);
  }

  #exchange(host: TestHost): void {
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
        this.harness.handOver();
        break;
      case "lose": {
        let lost = 2;
        this.harness.loses = () => lost-- > 0;
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

  #happen(host: TestHost, step: Step): void {
    const { agent } = host;
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
        const [machine] = agent.machines.values();
        if (machine?.phase === "running") agent.put(machine.name, machine.epoch, "failed", "crashed");
        break;
      }
      case "power":
        agent.machines.clear();
        agent.fenceAtMs = Number.NEGATIVE_INFINITY;
        agent.boot();
        this.#look(host);
        break;
      case "crash":
        agent.boot();
        this.#look(host);
        break;
      case "drain": {
        const isDraining = this.harness.worker(host.id).availability === "draining";
        const availability = isDraining ? "online" : "draining";
        this.harness.commit({ kind: "setAvailability", workerId: host.id, availability });
        break;
      }
      default:
        break;
    }
  }

  #wish(name: string, wish: Wish): void {
    if (wish === "create") {
      this.harness.create(name, { onWorkerLost: this.#waits ? "wait" : "restart" });
      return;
    }
    const commands: Readonly<Record<Exclude<Wish, "create">, Command>> = {
      delete: { kind: "deleteVm", name, expectedGeneration: null },
      stop: { kind: "setVmDesired", name, desired: "stopped" },
      start: { kind: "setVmDesired", name, desired: "running" },
      restart: { kind: "restartVm", name },
      migrate: { kind: "migrateVm", name, to: null },
    };
    this.harness.commit(commands[wish]);
  }

  // ---- The end of all trouble

  settle(): void {
    this.harness.loses = () => false;
    for (const { id } of this.hosts) {
      // A host that never registered has nothing to make available.
      if (this.harness.state.workerCount > 0)
        this.harness.commit({ kind: "setAvailability", workerId: id, availability: "online" });
    }
    for (const one of this.hosts) Object.assign(one, { isCut: false, isHeld: false });
    for (let second = 0; second < 400 && !(second > 40 && this.#isSettled()); second++) this.tick(1000);
    for (const vm of this.#vms()) expect(this.#missing(vm), vm.name).toBeNull();
    for (const { id, agent } of this.hosts) {
      for (const name of agent.machines.keys())
        expect(this.#vms().find((vm) => vm.name === name)?.workerId, `${name} on ${id}`).toBe(id);
    }
  }

  #isSettled(): boolean {
    return this.#vms().every((vm) => this.#missing(vm) === null);
  }

  #vms(): readonly VmRecord[] {
    return tableValues(this.harness.state.vms);
  }

  #missing(vm: VmRecord): string | null {
    const is = `${vm.state} on ${vm.workerId}, wanted ${vm.desired}`;
    const machine = this.hosts.find(({ id }) => id === vm.workerId)?.agent.machines.get(vm.name);
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
        const trial = new Trial(rates, waits);
        trial.do({ do: "user", name: "a", wish: "create" });
        for (const one of steps) trial.do(one);
        trial.settle();
      },
    ),
    { numRuns: 100, seed: 1 },
  );
});
