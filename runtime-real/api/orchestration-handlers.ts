/** Handlers of the procedures about workers, running VMs, tasks, tenants, address pools and placement. */
import {
  allocatableCount,
  Batch,
  type IpPoolRecord,
  type Plan,
  placementContext,
  promisable,
  statusOf,
  type TenantRecord,
  vmOf,
  type WorkerRecord,
  workerView,
} from "../../core/index.ts";
import { applyRefused } from "./apply-refusals.ts";
import { coreOf } from "./core-requests.ts";
import type { Handlers } from "./dispatch.ts";
import type { AnswerOf } from "./procedures.ts";
import { poolNotFound, taskNotFound, vmNotFound, workerNotFound } from "./refusals.ts";
import type { Served } from "./served.ts";
import { addressResolver, vmAnswer } from "./vm-answer.ts";

type Orchestrated = Extract<
  keyof Handlers,
  | `worker.${string}`
  | `task.${string}`
  | `quota.${string}`
  | `ipPool.${string}`
  | `scheduler.${string}`
  | `rebalance.${string}`
  | "vm.plan"
  | "vm.explain"
>;

export function orchestrationHandlers(served: Served): Pick<Handlers, Orchestrated> {
  const { node } = served;
  const { commit, read } = coreOf(served);

  return {
    "worker.list": async ({ stale }) => {
      const { index, result } = await read("workers", { kind: "listWorkers" }, stale);
      const answer = workerAnswers(served);
      return { index, workers: result.workers.map(answer) };
    },

    "worker.show": async ({ id, stale }) => {
      const { index, result } = await read("worker", { kind: "getWorker", id }, stale);
      if (result.worker === null) throw workerNotFound(id);
      const resolve = addressResolver(node.state);
      return {
        index,
        worker: workerAnswers(served)(result.worker),
        vms: result.vms.map((vm) => vmAnswer(vm, resolve)),
        tasks: result.tasks,
      };
    },

    "worker.remove": async ({ id, session }, context) => {
      // The replicated state knows the first members only after the first change of the membership.
      if (node.configuration.members.some((member) => member.id === id))
        throw applyRefused({ kind: "workerIsMember", workerId: id });
      const { index, term } = await commit(session, { kind: "removeWorker", workerId: id }, context);
      return { index, term };
    },

    "vm.plan": async ({ name, spec, stale }) => {
      const { index, result } = await read("plan", { kind: "planVm", name, spec }, stale);
      const refused = result.obstacle === null ? null : applyRefused(result.obstacle);
      const obstacle = refused && { code: refused.code, message: refused.message, hint: refused.hint };
      return { index, obstacle, ...planAnswer(result) };
    },

    "vm.explain": async ({ name, stale }) => {
      const { index, result } = await read("explanation", { kind: "explainVm", name }, stale);
      if (result.plan === null) throw vmNotFound();
      return { index, ...planAnswer(result.plan) };
    },

    "task.list": async ({ afterId, limit, stale }) => {
      const { index, result } = await read("tasks", { kind: "listTasks", afterId, limit }, stale);
      return { index, tasks: result.tasks, nextAfterId: result.nextAfterId };
    },

    "task.show": async ({ id, stale }) => {
      const { index, result } = await read("task", { kind: "getTask", id }, stale);
      if (result.task === null) throw taskNotFound();
      return { index, task: result.task };
    },

    "quota.get": async ({ tenant, stale }) => {
      const { index, result } = await read("tenants", { kind: "listTenants" }, stale);
      const found = result.tenants.find(({ name }) => name === tenant);
      return { index, ...(found === undefined ? { tenant, ...UNKNOWN_TENANT } : tenantAnswer(found)) };
    },

    "quota.list": async ({ stale }) => {
      const { index, result } = await read("tenants", { kind: "listTenants" }, stale);
      return { index, tenants: result.tenants.map(tenantAnswer) };
    },

    "ipPool.list": async ({ stale }) => {
      const { index, result } = await read("pools", { kind: "listPools" }, stale);
      return { index, strategy: result.strategy, pools: result.pools.map(poolAnswer) };
    },

    "ipPool.show": async ({ name, stale }) => {
      const { index, result } = await read("pools", { kind: "listPools" }, stale);
      const pool = result.pools.find(({ spec }) => spec.name === name);
      if (pool === undefined) throw poolNotFound(name);
      return { index, pool: poolAnswer(pool) };
    },

    "scheduler.get": async ({ stale }) => {
      const { index, result } = await read("scheduler", { kind: "getScheduler" }, stale);
      return { index, scheduler: result.scheduler, generation: result.generation };
    },

    "rebalance.plan": async ({ movesMax, stale }) => {
      const { index, result } = await read("rebalance", { kind: "planRebalance", movesMax }, stale);
      const { before, after } = result;
      const moves = result.moves.map(({ name, from, to, gain }) => ({
        name,
        epoch: vmOf(node.state, name)?.epoch ?? 0,
        from,
        to,
        gain,
      }));
      return { index, before, after, moves };
    },
  };
}

/** Answers with what may be promised on the worker under the present settings. */
function workerAnswers({ node }: Served): (worker: WorkerRecord) => AnswerOf<"worker.show">["worker"] {
  const context = placementContext(new Batch(node.state));
  return (worker) => {
    const { id, driver, capacity, used, reserved, features, topology, costPerHour, guestsVia, vms, tasks } = worker;
    return {
      id,
      status: statusOf(worker),
      driver,
      capacity,
      promisable: promisable(context, workerView(worker)),
      used,
      reserved,
      features,
      topology,
      costPerHour,
      guestsVia,
      vmCount: vms.length,
      taskCount: tasks.length,
    };
  };
}

function planAnswer({ workerId, preemption, judgements, refusals }: Plan): Omit<AnswerOf<"vm.explain">, "index"> {
  return { workerId, preemption, judgements, refusals };
}

const UNKNOWN_TENANT = { quota: null, usage: { vms: 0, vcpus: 0, memoryMiB: 0, diskGiB: 0 } } as const;

function tenantAnswer({ name, quota, vms, usage }: TenantRecord): Omit<AnswerOf<"quota.get">, "index"> {
  return { tenant: name, quota, usage: { vms, ...usage } };
}

function poolAnswer({ spec, usedCount }: IpPoolRecord): AnswerOf<"ipPool.show">["pool"] {
  return { ...spec, size: allocatableCount(spec), usedCount };
}
