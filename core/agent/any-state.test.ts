/**
 * From any state of its host, and whatever happens to the agent, the host and the messages between agent and leader:
 * nothing is begun or ended that should not be, and when the faults are over the host is as the cluster wants it.
 */

import fc from "fast-check";
import { expect, test } from "vitest";
import type { Intent } from "../domain/index.ts";
import {
  AgentHarness,
  type Sent,
  wantedTask as task,
  wantedVm as vm,
  type WantedTask,
  type WantedVm,
} from "../testing/index.ts";
import type { Assignment, Inventory } from "./protocol.ts";
import type { HostAction, Machine, MachinePhase } from "./types.ts";

const NAMES = ["a", "b", "c"] as const;
const PHASES: readonly MachinePhase[] = ["building", "built", "starting", "running", "stopping", "stopped", "failed"];

/** What the leader knows of one VM. */
interface Wanted {
  epoch: number;
  intent: Intent;
  isBegun: boolean;
  /** Of the assignment that first had it so. */
  index: number;
}

interface Job {
  attempt: number;
  isCancelled: boolean;
  index: number;
}

type Step =
  | { readonly do: "tick"; readonly ms: number }
  | { readonly do: "look" | "crash" | "vanish" | "cancel" }
  | { readonly do: "host"; readonly which: number; readonly fails: boolean }
  | { readonly do: "carry"; readonly count: number }
  | { readonly do: "want"; readonly name: string; readonly intent: Intent | "again" | "never" }
  | { readonly do: "submit"; readonly id: string }
  | { readonly do: "answer"; readonly back: number; readonly how: "well" | "nothing" | "old" }
  | { readonly do: "plant"; readonly name: string; readonly epoch: number; readonly phase: MachinePhase };

class Trial {
  readonly harness = new AgentHarness();
  readonly vms = new Map<string, Wanted>();
  readonly tasks = new Map<string, Job>();
  #index = 10;
  readonly #queue: HostAction[] = [];
  readonly #started = new Set<string>();
  readonly #ran = new Set<string>();
  /** What this process has told in each version of its inventory, and what of it the leader has confirmed. */
  #told = new Map<number, Set<string>>();
  #heard = new Set<string>();
  /** The newest assignment that this process was given. */
  #held: Assignment | null = null;
  readonly #assignments: Assignment[] = [];
  /** What the leader has heard, by process and version. */
  readonly #inventories = new Map<string, Inventory>();
  #answered: Sent | null = null;
  /** What the agent was shown last. */
  #shown = new Map<string, Machine>();

  constructor(planted: readonly Machine[]) {
    for (const machine of planted) this.harness.machines.set(machine.name, machine);
    this.harness.obeys = false;
    this.harness.watch = (action) => this.#check(action);
    this.#assign();
    this.look();
  }

  // ---- What must hold of every action

  #check(action: HostAction): void {
    const { harness } = this;
    if (action.kind === "fenceAt") {
      expect(action.atMs, "the switch is set to no later than what was granted").toBeLessThanOrEqual(
        harness.leaseUntilMs,
      );
      return;
    }
    expect(harness.nowMs, "it acts with a lease").toBeLessThan(harness.leaseUntilMs);
    expect(harness.nowMs, "it acts under a switch that is set").toBeLessThan(harness.fenceAtMs);
    if ("name" in action) this.#checkMachine(action);
    this.#queue.push(action);
  }

  #checkMachine({ kind, name, epoch }: Extract<HostAction, { readonly name: string }>): void {
    const wanted = this.#held?.vms.find((one) => one.name === name);
    const shown = this.#shown.get(name);
    const isWanted = wanted?.intent === "run" && wanted.epoch === epoch;
    switch (kind) {
      case "build":
      case "start":
        expect(isWanted, `${kind} ${name}/${epoch} is wanted`).toBe(true);
        break;
      case "stop":
      case "delete":
        if (isWanted) expect(shown?.phase, `${kind} of what is wanted`).not.toBe("running");
        if (isWanted) expect(kind).toBe("stop");
        // One that nobody asked for has been told of, and that was heard.
        if (wanted === undefined || epoch > wanted.epoch)
          expect(this.#heard, `${kind} of an orphan`).toContain(`${name}/${epoch}`);
        break;
      case "probe":
        break;
    }
  }

  // ---- The host

  look(): void {
    this.#shown = new Map(this.harness.machines);
    this.#told ??= new Map();
    this.harness.look();
    this.#note();
  }

  /** What was told since the last time. */
  #note(): void {
    for (const { report } of this.harness.sent) {
      if (report.inventory === null || report.bootId !== this.harness.lastSent.report.bootId) continue;
      this.#told.set(
        report.inventoryVersion,
        new Set(report.inventory.machines.map(({ name, epoch }) => `${name}/${epoch}`)),
      );
    }
  }

  carry(count: number): void {
    for (const action of this.#queue.splice(0, count)) {
      if (action.kind === "start" && this.harness.machines.get(action.name)?.phase === "built") {
        const machine = this.harness.machines.get(action.name);
        const run = `${action.name}/${action.epoch}`;
        if (machine?.epoch === action.epoch) {
          expect(this.#started, "no run is started twice").not.toContain(run);
          this.#started.add(run);
        }
      }
      if (action.kind === "runJob") {
        const run = `${action.id}/${action.attempt}`;
        // The host runs no attempt twice, whatever it is asked.
        if (this.#ran.has(run)) continue;
        this.#ran.add(run);
      }
      this.harness.perform(action);
    }
  }

  progress(which: number, fails: boolean): void {
    const machines = [...this.harness.machines.values()];
    const machine = machines[which % Math.max(1, machines.length)];
    if (machine === undefined) return;
    const { name, epoch, phase } = machine;
    const next = {
      building: fails ? "failed" : "built",
      built: "built",
      starting: fails ? "failed" : "running",
      running: fails ? "failed" : "running",
      stopping: "stopped",
      stopped: "stopped",
      failed: "failed",
    } as const;
    this.harness.put(name, epoch, next[phase]);
  }

  tick(ms: number): void {
    this.harness.nowMs += ms;
    if (this.harness.nowMs >= this.harness.fenceAtMs) {
      for (const { name, epoch, phase } of [...this.harness.machines.values()]) {
        if (phase === "starting" || phase === "running" || phase === "stopping")
          this.harness.put(name, epoch, "failed", "fenced");
      }
      for (const { id, attempt } of this.harness.jobs) this.harness.endJob(id, attempt, "failed", "fenced");
      // What it was asked for and has not done is done no more: the switch has fallen.
      this.#queue.splice(0);
    }
    this.harness.step({ kind: "wake" });
    this.#note();
  }

  crash(): void {
    this.#queue.splice(0);
    this.#told = new Map();
    this.#heard = new Set();
    this.#held = null;
    this.harness.leaseUntilMs = Number.NEGATIVE_INFINITY;
    this.harness.boot();
    this.look();
  }

  /** Somebody takes away what the cluster has heard of. */
  vanish(): void {
    for (const { name, epoch } of this.harness.machines.values()) {
      const wanted = this.vms.get(name);
      if (wanted?.epoch === epoch && !wanted.isBegun) continue;
      this.harness.machines.delete(name);
      return;
    }
  }

  // ---- The leader

  want(name: string, intent: Intent | "again" | "never"): void {
    const before = this.vms.get(name);
    if (intent === "never") {
      // The word of an operator that this host is dead, when it is not.
      this.vms.delete(name);
    } else if (intent === "again" || before === undefined) {
      this.vms.set(name, { epoch: this.#index + 1, intent: "run", isBegun: false, index: this.#index + 1 });
    } else {
      this.vms.set(name, { ...before, intent, index: this.#index + 1 });
    }
    this.#assign();
  }

  submit(id: string): void {
    // A later attempt has a higher number, also one of another task of that id.
    this.tasks.set(id, { attempt: this.#index + 1, isCancelled: false, index: this.#index + 1 });
    this.#assign();
  }

  cancel(): void {
    for (const job of this.tasks.values()) Object.assign(job, { isCancelled: true, index: this.#index + 1 });
    this.#assign();
  }

  #assign(): void {
    this.#index += 1;
    const vms = [...this.vms].map(([name, { epoch, intent, isBegun }]): WantedVm => vm(name, epoch, intent, isBegun));
    const tasks = [...this.tasks].map(([id, { attempt, isCancelled }]): WantedTask => task(id, attempt, isCancelled));
    this.harness.assignment = { index: this.#index, vms, tasks };
    this.harness.details = { vms, tasks };
    this.#assignments.push(this.harness.assignment);
  }

  answer(sent: Sent, how: "well" | "nothing" | "old"): void {
    const { harness } = this;
    // An answer that comes too late, or twice, or to a former process, gives nothing.
    const isAwaited = sent === harness.lastSent && sent !== this.#answered;
    // One to a former process that bears the number of a report of this one is taken for damaged, and spends it.
    const spends = sent.report.sequence === harness.lastSent.report.sequence;
    if (spends) this.#answered = harness.lastSent;
    if (how === "nothing") {
      harness.step({ kind: "answered", sequence: sent.report.sequence, directive: null });
      // It may have told something else at once.
      this.#note();
      return;
    }
    if (sent.report.bootId === harness.lastSent.report.bootId) this.#hear(sent);
    const assignment = how === "old" ? (this.#assignments.at(-2) ?? null) : harness.assignment;
    // It is told how to do what it asks for, and of nothing else.
    const { lacks } = sent.report;
    const details = {
      vms: harness.details.vms.filter((one) => lacks.vms.includes(one.name)),
      tasks: harness.details.tasks.filter(({ id }) => lacks.tasks.includes(id)),
    };
    const directive = harness.directiveFor(sent, { assignment, details });
    if (isAwaited && assignment !== null && assignment.index >= (this.#held?.index ?? 0)) this.#held = assignment;
    if (isAwaited) {
      for (const [version, names] of this.#told) {
        if (version <= sent.report.inventoryVersion) for (const name of names) this.#heard.add(name);
      }
      harness.deliver(sent, directive);
    } else {
      const before = harness.leaseUntilMs;
      harness.deliver(sent, directive);
      harness.leaseUntilMs = before;
    }
    this.#note();
  }

  #hear({ report: { bootId, inventoryVersion, assignedIndex, ...report } }: Sent): void {
    const version = `${bootId} ${inventoryVersion}`;
    if (report.inventory !== null) this.#inventories.set(version, report.inventory);
    const inventory = this.#inventories.get(version) ?? null;
    for (const [name, wanted] of [...this.vms]) {
      const knows = assignedIndex >= wanted.index;
      const machine = inventory?.machines.find((one) => one.name === name);
      if (machine?.epoch === wanted.epoch) wanted.isBegun = true;
      if (inventory === null || !knows) continue;
      if (machine === undefined && wanted.intent === "gone") this.want(name, "never");
      const hasEnded = machine?.phase === "failed" || machine?.phase === "stopped";
      // One of an earlier run may be there in place of it.
      const isGone = machine === undefined || (machine.epoch < wanted.epoch && (hasEnded || machine.phase === "built"));
      const isOver = machine?.epoch === wanted.epoch ? hasEnded : wanted.isBegun && isGone;
      if (wanted.intent === "run" && isOver) this.want(name, "again");
    }
    for (const [id, job] of [...this.tasks]) {
      const shown = inventory?.jobs.findLast((one) => one.id === id);
      if (inventory === null || assignedIndex < job.index) continue;
      if (shown === undefined || (shown.attempt === job.attempt && shown.phase !== "running")) {
        this.tasks.delete(id);
        this.#assign();
      }
    }
  }

  // ---- The end of all trouble

  settle(): void {
    for (let round = 0; round < 80; round++) {
      this.carry(Number.POSITIVE_INFINITY);
      this.harness.finish();
      for (const { id, attempt } of this.harness.jobs) this.harness.endJob(id, attempt, "exited", "");
      this.look();
      this.answer(this.harness.lastSent, "well");
      this.carry(Number.POSITIVE_INFINITY);
      this.tick(Math.max(1000, Math.min(this.harness.wakeAtMs - this.harness.nowMs, 2000)));
    }
    for (const [name, { epoch, intent }] of this.vms) {
      const machine = this.harness.machines.get(name);
      if (intent === "run") expect(machine, name).toMatchObject({ epoch, phase: "running" });
      else expect(machine?.phase ?? "stopped", name).toMatch(/stopped|failed/);
    }
    for (const name of this.harness.machines.keys()) expect(this.vms.has(name), `${name} is wanted`).toBe(true);
    expect(this.harness.jobs).toEqual([]);
    expect(this.tasks.size).toBe(0);
  }

  do(step: Step): void {
    switch (step.do) {
      case "tick":
        this.tick(step.ms);
        break;
      case "look":
        this.look();
        break;
      case "crash":
        this.crash();
        break;
      case "vanish":
        this.vanish();
        break;
      case "cancel":
        this.cancel();
        break;
      case "host":
        this.progress(step.which, step.fails);
        break;
      case "carry":
        this.carry(step.count);
        break;
      case "want":
        this.want(step.name, step.intent);
        break;
      case "submit":
        this.submit(step.id);
        break;
      case "plant":
        if (!this.harness.machines.has(step.name)) this.harness.put(step.name, step.epoch, step.phase);
        break;
      case "answer": {
        const sent = this.harness.sent.at(-1 - step.back);
        if (sent !== undefined) this.answer(sent, step.how);
        break;
      }
    }
  }
}

const name = fc.constantFrom(...NAMES);
const phase = fc.constantFrom(...PHASES);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("tick"), ms: fc.constantFrom(0, 60, 500, 1000, 3000, 9600, 12_000) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("look") }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("crash", "vanish", "cancel") }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("host"), which: fc.nat(3), fails: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("carry"), count: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("want"),
      name,
      intent: fc.constantFrom("run", "stop", "gone", "again", "never"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("submit"), id: fc.constantFrom("t", "u") }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("answer"),
      back: fc.constantFrom(0, 0, 0, 1, 3),
      how: fc.constantFrom("well", "well", "well", "nothing", "old"),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("plant"),
      name: fc.constantFrom("x", ...NAMES),
      epoch: fc.constantFrom(1, 5),
      phase,
    }),
  },
);
const planted = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom("x", "y", ...NAMES),
    epoch: fc.integer({ min: 1, max: 9 }),
    phase,
    reason: fc.constant(""),
  }),
  { selector: (machine) => machine.name, maxLength: 4 },
);

test("from any state of its host, through any trouble, an agent does no harm and gets where it shall", () => {
  fc.assert(
    fc.property(planted, fc.array(step, { maxLength: 80, size: "max" }), (machines, steps) => {
      const trial = new Trial(machines);
      for (const one of steps) trial.do(one);
      trial.settle();
    }),
    { numRuns: 200, seed: 1 },
  );
});
