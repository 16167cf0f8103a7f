/** The scheduler's answer about a VM, worker by worker, in words. */
import type { AnswerOf } from "../../../runtime-real/index.ts";
import { brief, cost, count, fitTable, type Paint, plural } from "../../output/index.ts";

export type Plan = Omit<AnswerOf<"vm.explain">, "index">;
export type Obstacle = AnswerOf<"vm.plan">["obstacle"];
type Judgement = Plan["judgements"][number];
type WorkerRefusal = NonNullable<Judgement["refusal"]>;
type RefusalCount = Plan["refusals"][number];

/** The driver of a worker, which the plan does not contain. */
export type DriverOf = (workerId: number) => string | null;

type ResourceKey = keyof typeof RESOURCE_WORDS;
type Worker = AnswerOf<"worker.show">["worker"];

/** The reserve of a worker, which the plan does not contain. */
export type ReserveOf = (workerId: number, resource: ResourceKey) => number;

/** The capacity of a worker that is not promised. With overcommitment more than the capacity is promised: then 0. */
export function reserveOf({ capacity, promisable }: Pick<Worker, "capacity" | "promisable">, key: ResourceKey): number {
  return Math.max(0, capacity[key] - promisable[key]);
}

/** The most workers that are listed. */
const SHOWN_MAX = 20;

const RESOURCE_WORDS = {
  vcpus: ["vCPUs", ""],
  memoryMiB: ["memory", " MiB"],
  diskGiB: ["disk", " GiB"],
} as const satisfies Record<string, readonly [string, string]>;

export function refusalWords(refusal: WorkerRefusal): string {
  switch (refusal.kind) {
    case "offline":
    case "cordoned":
    case "draining":
      return refusal.kind;
    case "notTheNamedWorker":
      return "is not the worker that was named";
    case "missingFeatures":
      return `lacks ${refusal.features.join(", ")}`;
    case "insufficient":
      return notEnough(refusal.resource, refusal.needed, `${count(refusal.free)} free`);
    case "tenantQuota":
      return `the tenant has ${refusal.used} VMs there, its quota allows ${refusal.limit}`;
    case "antiAffinity":
      return `${refusal.count} of group ${refusal.group} in ${refusal.scope} ${refusal.domain}, at most ${refusal.limit} may be`;
    case "excludedDatacenter":
      return `datacenter ${refusal.datacenter} is excluded`;
    case "locality":
      return `is in ${refusal.actual}, and it must be ${refusal.wanted}`;
    case "tooFewDomains":
      return `spread over ${refusal.count} domains, at least ${refusal.limit} are asked for`;
    case "tooExpensive":
      return `costs ${cost(refusal.costPerHour)} an hour, the limit is ${cost(refusal.limit)}`;
  }
}

function notEnough(resource: keyof typeof RESOURCE_WORDS, needed: number, free: string): string {
  const [noun, unit] = RESOURCE_WORDS[resource];
  return `not enough ${noun}: ${count(needed)}${unit} needed, ${free}`;
}

/** The refusals of one kind by several workers, in one line. */
function countedWords({ kind, resource, count: hosts, needed, free }: RefusalCount): string {
  const who = plural(hosts, "worker");
  if (resource !== null && needed !== null && free !== null)
    return `${who}: ${notEnough(resource, needed, `at most ${count(free)} free`)}`;
  return `${who}: ${COUNTED.get(kind) ?? kind}`;
}

const COUNTED: ReadonlyMap<string, string> = new Map<WorkerRefusal["kind"], string>([
  ["offline", "offline"],
  ["cordoned", "cordoned"],
  ["draining", "draining"],
  ["notTheNamedWorker", "not the worker that was named"],
  ["missingFeatures", "features are missing"],
  ["tenantQuota", "the tenant has as many VMs there as its quota allows"],
  ["antiAffinity", "too many of its group are near"],
  ["excludedDatacenter", "their datacenter is excluded"],
  ["locality", "not where it must be"],
  ["tooFewDomains", "too few domains to spread over"],
  ["tooExpensive", "too expensive"],
]);

/**
 * Why no worker takes it: a line for each reason, the most frequent first.
 *
 * @param namedId the only worker on which it may run. Null: any.
 */
export function whyNowhere({ judgements, refusals }: Plan, namedId: number | null): readonly string[] {
  if (judgements.length === 0) return ["there are no workers"];
  if (namedId === null) return refusals.map(countedWords);
  const refusal = judgements.find(({ workerId }) => workerId === namedId)?.refusal ?? null;
  if (refusal === null) return [`it may run on worker ${namedId} only, and there is no such worker`];
  return [`it may run on worker ${namedId} only: ${refusalWords(refusal)}`];
}

interface PlanStyle {
  readonly all: boolean;
  readonly paint: Paint;
  readonly columns: number;
  readonly reserve?: ReserveOf;
}

export function renderPlan(
  name: string,
  plan: Plan,
  obstacle: Obstacle,
  driverOf: DriverOf,
  { all, paint, columns, reserve = () => 0 }: PlanStyle,
): string[] {
  const lines = [headline(name, plan, obstacle, driverOf, paint)];
  const rows = plan.judgements.map((judgement, at) => [
    `${judgement.workerId}`,
    judgement.score === null ? "-" : scoreText(judgement.score),
    verdict(judgement, at, plan, driverOf, reserve, paint),
  ]);
  if (rows.length === 0) return lines;
  const isLong = !all && rows.length > SHOWN_MAX;
  const shown = isLong ? rows.slice(0, SHOWN_MAX) : rows;
  lines.push("", ...fitTable(">><", [["WORKER", "SCORE", "VERDICT"], ...shown], columns));
  if (isLong) {
    lines.push(`and ${plural(rows.length - SHOWN_MAX, "worker")} more: --all shows each. Those that refuse:`);
    for (const line of plan.refusals.map(countedWords)) lines.push(`  ${line}`);
  }
  return lines;
}

function headline(name: string, plan: Plan, obstacle: Obstacle, driverOf: DriverOf, paint: Paint): string {
  if (obstacle !== null) return paint("red", `${name} would be refused: ${obstacle.message}`);
  const { workerId, preemption } = plan;
  if (workerId !== null) {
    const driver = driverOf(workerId) === null ? ", and stay Scheduled: that has no VM driver yet" : "";
    return paint(driver === "" ? "green" : "yellow", `${name} would go to worker ${workerId}${driver}`);
  }
  if (preemption !== null) {
    const { victims } = preemption;
    return paint(
      "yellow",
      `${name} would go to worker ${preemption.workerId} once ${victims.join(", ")} had stopped there`,
    );
  }
  return paint(
    "red",
    plan.judgements.length === 0 ? `${name} fits nowhere: there are no workers` : `${name} fits nowhere now`,
  );
}

function verdict(
  { workerId, refusal }: Judgement,
  at: number,
  { preemption }: Plan,
  driverOf: DriverOf,
  reserve: ReserveOf,
  paint: Paint,
): string {
  const driver = driverOf(workerId) === null ? " (no VM driver yet)" : "";
  if (refusal === null) return at === 0 ? paint("green", `chosen${driver}`) : `would take it${driver}`;
  const kept = refusal.kind === "insufficient" ? reserve(workerId, refusal.resource) : 0;
  const words = `${refusalWords(refusal)}${kept > 0 ? `, ${count(kept)} in reserve` : ""}`;
  if (preemption?.workerId !== workerId) return words;
  return paint("yellow", `${words}; would stop ${preemption.victims.join(", ")} first`);
}

/** The scores of most strategies are shares, those of the others are ranks. */
function scoreText(score: number): string {
  return Math.abs(score) < 10 ? score.toFixed(3) : brief(score);
}

/** Whether a request for it would succeed, and place it on a worker. */
export function fits({ workerId, preemption }: Plan, obstacle: Obstacle): boolean {
  return obstacle === null && (workerId !== null || preemption !== null);
}
