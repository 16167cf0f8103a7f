/** For tests of the state machine: one that is asked one thing after the other, in short words. */
import {
  type ApplyResult,
  type ClusterEvent,
  type CountLimits,
  DEFAULT_COUNT_LIMITS,
  type IpPoolSpec,
  type MachineObservation,
  type TaskRecord,
  type TaskSpec,
  type TenantRecord,
  type VmRecord,
  type VmSpec,
  vmSpec,
  type WorkerFacts,
  type WorkerRecord,
} from "../../domain/index.ts";
import { refusalsOf } from "../command.ts";
import { eventsOf } from "../events.ts";
import { hashOfText } from "../hash.ts";
import {
  applyEntries,
  type ClusterState,
  type Command,
  type CommandEntry,
  emptyState,
  encodeRequest,
  stampRequest,
  taskOf,
  vmOf,
  workerOf,
} from "../index.ts";
import { lookUp } from "../table.ts";

/** The entry that carries a command out of any session. */
export function entryOf(index: number, command: Command, wallMs = index, term = 1): CommandEntry {
  const data = stampRequest(encodeRequest({ session: null, command }), { wallMs, proposer: 1 });
  return { index, term, data };
}

export function factsWith(fields: Partial<WorkerFacts> = {}): WorkerFacts {
  return {
    capacity: { vcpus: 100, memoryMiB: 100_000, diskGiB: 1000 },
    features: [],
    topology: { datacenter: "dc", zone: "zone", rack: "rack" },
    costPerHour: 0,
    driver: "test",
    guestsVia: [],
    ...fields,
  };
}

export function poolWith(fields: Partial<IpPoolSpec> = {}): IpPoolSpec {
  return {
    name: "lan",
    subnet: "10.0.0.0/24",
    gateway: null,
    dns: [],
    rangeFirst: null,
    rangeLast: null,
    vlan: null,
    reserved: [],
    datacenter: null,
    zone: null,
    tags: [],
    enabled: true,
    ...fields,
  };
}

export function taskWith(fields: Partial<TaskSpec> = {}): TaskSpec {
  return {
    command: "true",
    args: [],
    resources: { vcpus: 1, memoryMiB: 100, diskGiB: 1 },
    features: [],
    tenant: "default",
    timeoutMs: 1000,
    attemptsMax: 1,
    ...fields,
  };
}

/** A command is refused for reasons that its definition names, and for no other. */
export function demandKnownRefusal({ kind }: Command, result: ApplyResult): void {
  if (result.ok || kind === "openSession" || kind === "closeSession") return;
  if (result.refusal.kind === "sessionExpired" || result.refusal.kind === "sequenceTooOld") return;
  if (!refusalsOf(kind).includes(result.refusal.kind))
    throw new Error(`${kind} was refused for a reason that its definition does not name: ${result.refusal.kind}`);
}

export class StateMachine {
  state: ClusterState;
  timeMs = 0;

  constructor(limits: CountLimits = DEFAULT_COUNT_LIMITS) {
    this.state = emptyState(limits);
  }

  /** Whatever comes of it. */
  ask(command: Command): ApplyResult {
    const outcome = applyEntries(this.state, [entryOf(this.state.appliedIndex + 1, command, this.timeMs)]);
    this.state = outcome.state;
    const [result] = outcome.results;
    if (result === undefined) throw new Error("an entry without a result");
    demandKnownRefusal(command, result);
    return result;
  }

  /** What must be done. */
  do(command: Command): ApplyResult {
    const result = this.ask(command);
    if (!result.ok) throw new Error(`${command.kind} was refused: ${JSON.stringify(result.refusal)}`);
    return result;
  }

  /** What must be refused: says how, and looks whether it left everything as it was. */
  refusal(command: Command): Extract<ApplyResult, { readonly ok: false }>["refusal"] {
    const before = this.state;
    const result = this.ask(command);
    if (result.ok) throw new Error(`${command.kind} was not refused`);
    if (this.state.roomIndex !== before.roomIndex) throw new Error("a refusal made room");
    for (const table of ["vms", "tasks", "workers", "pools", "addresses", "counts"] as const)
      if (this.state[table] !== before[table]) throw new Error(`a refusal changed ${table}`);
    if (this.state.events !== before.events) throw new Error("a refusal has an event");
    return result.refusal;
  }

  vm(name = "web"): VmRecord {
    return vmOf(this.state, name) ?? missing(`VM ${name}`);
  }

  hasVm(name = "web"): boolean {
    return vmOf(this.state, name) !== null;
  }

  worker(id = 1): WorkerRecord {
    return workerOf(this.state, id) ?? missing(`worker ${id}`);
  }

  task(id = "job"): TaskRecord {
    return taskOf(this.state, id) ?? missing(`task ${id}`);
  }

  tenant(name = "default"): TenantRecord | null {
    return lookUp(this.state.tenants, hashOfText(name), name) ?? null;
  }

  get events(): readonly ClusterEvent[] {
    return [...eventsOf(this.state.events)];
  }

  /** Those of the last entry. */
  get lastEvents(): readonly ClusterEvent[] {
    return this.events.filter(({ index }) => index === this.state.appliedIndex);
  }

  register(id: number, facts: Partial<WorkerFacts> = {}, bootId = 1): void {
    this.do({ kind: "announceNode", nodeId: id, peerId: `peer-${id}`, addresses: [`worker-${id}:7001`] });
    this.do({ kind: "registerWorker", workerId: id, bootId, facts: factsWith(facts) });
  }

  create(name = "web", spec: Partial<VmSpec> = {}): VmRecord {
    this.do({ kind: "createVm", name, spec: vmSpec(spec) });
    return this.vm(name);
  }

  update(name: string, spec: Partial<VmSpec>): Command {
    return { kind: "updateVm", name, expectedGeneration: this.vm(name).generation, spec: vmSpec(spec) };
  }

  place(name = "web", workerId = 1): void {
    this.do({ kind: "placeVm", name, epoch: this.vm(name).epoch, workerId });
  }

  /** The VM's worker has seen its present run so. */
  see(phase: MachineObservation["phase"], name = "web", epoch = this.vm(name).epoch): void {
    const { workerId } = this.vm(name);
    const { bootId } = this.worker(workerId ?? missing("its worker"));
    const machines = [{ name, epoch, phase, reason: phase === "failed" ? "crashed" : "" }];
    this.do({ kind: "observe", workerId: workerId ?? 0, bootId, machines, jobs: [] });
  }

  /** These are the voters from here on, and nobody else is a member. */
  membership(voters: readonly number[]): void {
    const members = voters.map((id) => ({ id, peerId: `peer-${id}` }));
    const entry = { index: this.state.appliedIndex + 1, term: 1, membership: { voters, learners: [], members } };
    this.state = applyEntries(this.state, [entry]).state;
  }

  lose(workerId = 1): void {
    this.do({ kind: "workerLost", workerId, bootId: this.worker(workerId).bootId });
  }

  /** A VM that runs there. */
  running(name = "web", workerId = 1, spec: Partial<VmSpec> = {}): VmRecord {
    this.create(name, spec);
    this.place(name, workerId);
    this.see("running", name);
    return this.vm(name);
  }
}

function missing(what: string): never {
  throw new Error(`there is no ${what}`);
}
