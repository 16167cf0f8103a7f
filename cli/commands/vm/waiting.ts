/** Waits until a VM has reached the requested state, and explains why it has not. */
import type { ApiClient } from "../../../runtime-real/index.ts";
import { type ClientOptions, progressTo, QUESTION_MS, untilSeen } from "../../client/index.ts";
import { FailureError, type Session } from "../../frame/index.ts";
import { whyNowhere } from "./explanation.ts";
import { isNotFound, type Vm } from "./names.ts";
import { planOfWaiting } from "./why.ts";

/** An obstacle, and what to do about it. */
interface Obstacle {
  readonly what: string;
  readonly hint: string;
}

export interface VmGoal {
  /** What has been requested: `created`, `stopped`, ... */
  readonly asked: string;
  readonly reached: (vm: Vm) => boolean;
  /** Whether it is to be gone. */
  readonly isToGo?: true;
}

/** How a wait ended, unless it failed. An interruption is already reported. */
export type Reached = { readonly kind: "reached"; readonly vm: Vm } | { readonly kind: "gone" | "interrupted" };

/** @throws FailureError when the goal is not reached, with the obstacle */
export async function untilReached(
  api: ApiClient,
  name: string,
  goal: VmGoal,
  { timeout }: Pick<ClientOptions, "timeout">,
  session: Session,
): Promise<Reached> {
  const progress = progressTo(session);
  const interrupt = session.watchInterrupt();
  let last: Vm | null = null;
  const ended = await untilSeen<{ readonly vm: Vm | null } | { readonly obstacle: Obstacle }>(
    async () => {
      const vm = await find(api, name, goal, timeout);
      last = vm;
      if (vm === null || (goal.isToGo !== true && goal.reached(vm))) return { vm };
      const obstacle = await inTheWay(api, vm, goal, timeout);
      if (obstacle !== null) return { obstacle };
      progress(`${name} is ${whereAndHow(vm)} ...`);
      return null;
    },
    performance.now() + timeout,
    interrupt.signal,
  );
  session.terminal.progress("");
  if (ended.kind === "seen") {
    const { result } = ended;
    if ("obstacle" in result)
      throw new FailureError(`${name} is ${goal.asked}, and ${result.obstacle.what}`, result.obstacle.hint);
    return result.vm === null ? { kind: "gone" } : { kind: "reached", vm: result.vm };
  }
  const how = last === null ? "not seen yet" : whereAndHow(last);
  const goesOn = "it goes on by itself: `blixard vm show` and `blixard events` say how far it is";
  if (ended.kind === "timedOut")
    throw new FailureError(
      `${name} is ${goal.asked}, and ${how} after all this time`,
      `${goesOn}; --timeout waits longer`,
    );
  session.terminal.err(`${name} is ${goal.asked}, and ${how}; ${goesOn}`);
  session.end(interrupt.exitCode);
  return { kind: "interrupted" };
}

async function find(api: ApiClient, name: string, goal: VmGoal, timeout: number): Promise<Vm | null> {
  try {
    return (await api.read("vm.show", { name }, { timeoutMs: Math.min(timeout, QUESTION_MS) })).vm;
  } catch (error) {
    if (goal.isToGo === true && isNotFound(error)) return null;
    throw error;
  }
}

/** "Scheduled on worker 2": the columns STATE and WORKER of `blixard vm list` in words. */
export function whereAndHow({ state, workerId, reason }: Vm): string {
  const where = workerId === null ? "" : ` on worker ${workerId}`;
  return `${state}${where}${reason === "" ? "" : ` (${reason})`}`;
}

/** An obstacle that does not go away by itself. Null: there is none, and waiting helps. */
async function inTheWay(api: ApiClient, vm: Vm, goal: VmGoal, timeout: number): Promise<Obstacle | null> {
  const { name, state, workerId } = vm;
  const timeoutMs = Math.min(timeout, QUESTION_MS);
  if (vm.desired === "running" && goal.isToGo !== true) {
    if (state === "Failed")
      return { what: whereAndHow(vm), hint: `\`blixard vm show ${name}\` and \`blixard events\` say more` };
    const plan = await planOfWaiting(api, vm, { stale: false, timeoutMs });
    if (plan !== null && plan.workerId === null && plan.preemption === null)
      return {
        what: `Pending, for it fits nowhere: ${whyNowhere(plan, vm.spec.workerId).join("; ")}`,
        hint: `it is placed by itself as soon as it fits; \`blixard vm plan\` and \`blixard worker list\` say more`,
      };
  }
  if (workerId === null) return null;
  const { worker } = await api.read("worker.show", { id: workerId }, { timeoutMs });
  if (worker.status === "offline" && (goal.isToGo === true || state === "Lost"))
    return {
      what: `${state} on worker ${workerId}, which is offline`,
      hint: `it goes on when that worker is back; if its host is surely off, \`blixard worker confirm-dead ${workerId}\` says so`,
    };
  if (worker.driver === null && state === "Scheduled" && vm.desired === "running")
    return {
      what: `Scheduled on worker ${workerId}, which has no VM driver yet`,
      hint: "it stays Scheduled until that worker can run machines; --no-wait does not wait for that",
    };
  return null;
}
