/**
 * What a large fleet costs: one report on the leader, and the simulated fleet of a thousand workers as a whole.
 *
 * The leader is a real node with real agents around it, in a cluster of its own: the cost of consensus among three
 * nodes is shared by all reports of a round.
 */
import {
  Agent,
  type AgentEffect,
  BUILD_TIMEOUT_MS,
  type ClientRequest,
  type Command,
  DEFAULT_RAFT_OPTIONS,
  type Effect,
  factsOf,
  type HostFacts,
  type Input,
  type Job,
  type Machine,
  Node,
  vmSpec,
} from "../core/index.ts";
import { Run } from "../runtime-sim/index.ts";
import thousandWorkers from "../scenarios/thousand-workers.ts";
import { median } from "./figures.ts";

const WORKERS = 1000;
const VMS = 20_000;
/** Reports that share a round: those of a thousand workers within the twenty milliseconds between two. */
const TOGETHER = 20;
const ROUNDS = 5;

const FACTS: HostFacts = factsOf({
  capacity: { vcpus: 64, memoryMiB: 131_072, diskGiB: 2000 },
  features: ["kvm"],
  topology: { datacenter: "dc", zone: "zone", rack: "rack" },
  costPerHour: 1,
  driver: "bench",
  guestsVia: [],
});

const NO_JOBS: readonly Job[] = [];

/** A leader without followers, whose disk is fast. */
class Leader {
  nowMs = 1000;
  readonly answers = new Map<number, Extract<Effect, { readonly kind: "answer" }>["answer"]>();
  readonly node: Node;
  #nextRequestId = 1;

  constructor() {
    const identity = { peerId: "peer-1", sign: () => "signature", verify: () => true, digest: () => "digest" };
    this.node = new Node(
      1,
      DEFAULT_RAFT_OPTIONS,
      { ...identity, randomUint32: () => 1 },
      Node.genesis("bench", 1, [{ id: 1, peerId: "peer-1" }]),
      { nowMs: this.nowMs, wallMs: 0 },
    );
    this.#perform(this.node.start());
    while (this.node.role !== "leader") this.pass(100);
  }

  request(request: ClientRequest): number {
    const requestId = this.#nextRequestId++;
    this.#step({ kind: "request", nowMs: this.nowMs, wallMs: this.nowMs, requestId, request });
    return requestId;
  }

  /** Also lets it answer requests that wait for the round of the reports. */
  pass(durationMs: number): void {
    this.nowMs += durationMs;
    this.#step({ kind: "wake", nowMs: this.nowMs, wallMs: this.nowMs });
  }

  /** The bytes of a directive. Null: the report was refused, or is not answered yet. */
  take(requestId: number): Uint8Array | null {
    const answer = this.answers.get(requestId);
    this.answers.delete(requestId);
    return answer?.kind === "directive" ? answer.data : null;
  }

  #step(input: Input): void {
    this.#perform(this.node.step(input));
  }

  #perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === "halt") throw new Error(effect.reason);
      if (effect.kind === "answer") this.answers.set(effect.requestId, effect.answer);
      if (effect.kind === "write")
        this.#step({ kind: "written", nowMs: this.nowMs, wallMs: this.nowMs, writeId: effect.write.id });
    }
  }
}

/** A host that carries out at once what it is told. */
class BenchWorker {
  readonly id: number;
  readonly #agent: Agent;
  readonly #machines = new Map<string, Machine>();
  #sent: { readonly sequence: number; readonly report: Uint8Array } | null = null;

  constructor(id: number) {
    this.id = id;
    this.#agent = new Agent({ workerId: id, bootId: 1, facts: FACTS, buildTimeoutMs: BUILD_TIMEOUT_MS, servers: [1] });
  }

  get peerId(): string {
    return `peer-${this.id}`;
  }

  /** The report that it sends now, or that it sent when something changed. Null: none. */
  report(nowMs: number): Uint8Array | null {
    if (this.#sent === null) this.#perform(this.#agent.step({ kind: "wake", nowMs }), nowMs);
    return this.#sent === null ? null : this.#sent.report;
  }

  hear(nowMs: number, directive: Uint8Array | null): void {
    const sequence = this.#sent?.sequence ?? 0;
    this.#sent = null;
    this.#perform(this.#agent.step({ kind: "answered", nowMs, sequence, directive }), nowMs);
  }

  look(nowMs: number): void {
    const machines = [...this.#machines.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#perform(this.#agent.step({ kind: "inventory", nowMs, machines, jobs: NO_JOBS }), nowMs);
  }

  /** One of its guests crashes. */
  crashOne(): void {
    for (const machine of this.#machines.values()) {
      if (machine.phase !== "running") continue;
      this.#machines.set(machine.name, { ...machine, phase: "failed", reason: "crashed" });
      return;
    }
  }

  #perform(effects: readonly AgentEffect[], nowMs: number): void {
    let hasChanged = false;
    for (const effect of effects) {
      if (effect.kind === "report") this.#sent = effect;
      if (effect.kind !== "act") continue;
      const { action } = effect;
      if (action.kind !== "build" && action.kind !== "start") continue;
      const { name, epoch } = action;
      this.#machines.set(name, { name, epoch, phase: action.kind === "build" ? "built" : "running", reason: "" });
      hasChanged = true;
    }
    if (hasChanged) this.look(nowMs);
  }
}

interface Exchange {
  /** On the leader, per report. */
  readonly leaderUs: number;
  readonly agentUs: number;
  readonly reportBytes: number;
  readonly directiveBytes: number;
}

/** Every host reports once and hears its answer. */
function exchange(leader: Leader, hosts: readonly BenchWorker[]): Exchange {
  let [leaderMs, agentMs, reports, reportBytes, directiveBytes] = [0, 0, 0, 0, 0];
  for (let first = 0; first < hosts.length; first += TOGETHER) {
    const some = hosts.slice(first, first + TOGETHER);
    const beganMs = performance.now();
    const sent = some.map((host) => host.report(leader.nowMs));
    const sentMs = performance.now();
    const requests = sent.map((data, at) =>
      data === null ? null : leader.request({ kind: "report", peerId: some[at]?.peerId ?? "", data }),
    );
    leader.pass(1000 / (WORKERS / TOGETHER));
    const directives = requests.map((request) => (request === null ? null : leader.take(request)));
    const answeredMs = performance.now();
    for (const [at, host] of some.entries()) host.hear(leader.nowMs, directives[at] ?? null);
    leaderMs += answeredMs - sentMs;
    agentMs += sentMs - beganMs + performance.now() - answeredMs;
    for (const data of sent) {
      if (data === null) continue;
      reports += 1;
      reportBytes += data.length;
    }
    for (const data of directives) directiveBytes += data?.length ?? 0;
  }
  return {
    leaderUs: (leaderMs * 1000) / reports,
    agentUs: (agentMs * 1000) / reports,
    reportBytes: reportBytes / reports,
    directiveBytes: directiveBytes / reports,
  };
}

function propose(leader: Leader, commands: readonly Command[]): void {
  for (let first = 0; first < commands.length; first += 100) {
    for (const command of commands.slice(first, first + 100))
      leader.request({ kind: "propose", request: { session: null, command } });
    leader.pass(10);
    leader.answers.clear();
  }
}

/** A leader with so many workers, and so many VMs that run on them. */
export function filledFleet(
  workers: number,
  vms: number,
): { readonly leader: Leader; readonly hosts: readonly BenchWorker[] } {
  const leader = new Leader();
  const hosts = Array.from({ length: workers }, (_, at) => new BenchWorker(10_001 + at));
  propose(
    leader,
    hosts.map(({ id, peerId }) => ({ kind: "announceNode", nodeId: id, peerId, addresses: [`host-${id}:7001`] })),
  );
  for (const host of hosts) host.look(leader.nowMs);
  for (let round = 0; round < 3; round++) exchange(leader, hosts);
  const spec = vmSpec({ vcpus: 1, memoryMiB: 1024, diskGiB: 1 });
  propose(
    leader,
    Array.from({ length: vms }, (_, at) => ({ kind: "createVm", name: `vm-${at}`, spec })),
  );
  for (let round = 0; round < 10; round++) exchange(leader, hosts);
  return { leader, hosts };
}

function oneReport(): void {
  const { leader, hosts } = filledFleet(WORKERS, VMS);
  const print = (what: string, figures: readonly Exchange[]): void => {
    const of = (pick: (figure: Exchange) => number): string => median(figures.map(pick)).toFixed(1).padStart(12);
    console.log(
      `${what.padEnd(24)}${of((one) => one.leaderUs)}${of((one) => one.agentUs)}${of((one) => one.reportBytes)}${of((one) => one.directiveBytes)}`,
    );
  };
  console.log(`one report of ${WORKERS.toLocaleString("en")} workers with ${VMS.toLocaleString("en")} VMs`);
  console.log("                           leader µs    agent µs    report B  directive B");
  print(
    "nothing new",
    Array.from({ length: ROUNDS * 4 }, () => exchange(leader, hosts)),
  );
  print(
    "a guest has crashed",
    Array.from({ length: ROUNDS }, () => {
      for (const host of hosts) host.crashOne();
      for (const host of hosts) host.look(leader.nowMs);
      return exchange(leader, hosts);
    }),
  );
  console.log("");
}

/** The virtual time at which all VMs of the set-up run. */
const FILLED_MS = 15_000;
const LIFE_MS = 15 * 60_000;

/** The whole fleet: it is filled as fast as it takes VMs, then it runs, loses hosts and takes more requests. */
function wholeFleet(): void {
  console.log(`${thousandWorkers.name}, seed 1`);
  console.log("  oracles  filled in s   then virtual s per s   all in all   events/s   peak MiB");
  for (const oracles of [true, false]) {
    const run = new Run(thousandWorkers, { seed: 1, oracles, durationMs: LIFE_MS });
    const beganMs = performance.now();
    let filledMs = 0;
    let peakBytes = 0;
    while (!run.advance(20_000)) {
      peakBytes = Math.max(peakBytes, process.memoryUsage().rss);
      if (filledMs === 0 && run.report().virtualMs >= FILLED_MS) filledMs = performance.now() - beganMs;
    }
    const elapsedMs = performance.now() - beganMs;
    const { events, virtualMs } = run.report();
    const figures = [
      (filledMs / 1000).toFixed(1).padStart(11),
      ((virtualMs - FILLED_MS) / (elapsedMs - filledMs)).toFixed(1).padStart(22),
      (virtualMs / elapsedMs).toFixed(1).padStart(12),
      Math.round((events / elapsedMs) * 1000)
        .toLocaleString("en")
        .padStart(10),
      String(Math.round(peakBytes / 2 ** 20)).padStart(10),
    ];
    console.log(`  ${oracles ? "on     " : "off    "}  ${figures.join(" ")}`);
  }
  console.log("");
}

export function fleet(): void {
  oneReport();
  wholeFleet();
}
