import type { Command } from "commander";
import { type ReadOptions, show, withReadOptions } from "../../client/index.ts";
import { parseNodeId, type Session, withExamples } from "../../frame/index.ts";
import { bar, cost, count, fitTable, type Paint, table } from "../../output/index.ts";
import { reserveOf, whyWords } from "../vm/index.ts";
import { RESOURCES, type ResourceKey, type Shown, statusWord, takenOf, type Worker } from "./status.ts";

const SHOW_BAR = 11;

export function registerShow(worker: Command, session: Session): void {
  withReadOptions(withExamples(worker.command("show"), ["blixard worker show 2"]))
    .description("One worker: what it has, what of that is taken, and what runs there.")
    .argument("<worker>", "its number", parseNodeId)
    .action(async (id: number, options: ReadOptions) => {
      const { paintOut, columns } = session.terminal;
      const request = { id, stale: options.stale === true };
      await show(session, options, "worker.show", request, (answer) => renderWorker(answer, paintOut, columns));
    });
}

export function renderWorker({ worker, vms, tasks }: Shown, paint: Paint, columns: number): string[] {
  const { id, driver, features, topology, costPerHour, guestsVia } = worker;
  const lines = table("<<", [
    ["worker", `${id}, ${statusWord(worker, paint)}${STATUS_NOTES[worker.status]}`],
    ["driver", driver ?? paint("yellow", "none: VMs placed here stay Scheduled")],
    ["place", `datacenter ${topology.datacenter}, zone ${topology.zone}, rack ${topology.rack}`],
    ["features", features.length === 0 ? "-" : features.join(", ")],
    ["cost", costPerHour === 0 ? "-" : `${cost(costPerHour)} an hour`],
    ["guests", guestsVia.length === 0 ? "-" : `via ${guestsVia.join(", ")}`],
  ]);
  lines.push(
    "",
    ...table("<<>>>>>>", [
      ["", "TAKEN", "USED", "KEPT", "FREE", "MAY PROMISE", "RESERVE", "HAS"],
      ...RESOURCES.map(({ key, name }) => [
        name,
        bar(takenOf(worker, key), worker.promisable[key], SHOW_BAR, paint),
        count(worker.used[key]),
        count(worker.reserved[key]),
        count(Math.max(0, worker.promisable[key] - takenOf(worker, key))),
        count(worker.promisable[key]),
        count(reserveOf(worker, key)),
        count(worker.capacity[key]),
      ]),
    ]),
    ...RESOURCES.flatMap(({ key, name }) => reserveHint(worker, key, name)),
  );
  if (vms.length > 0) {
    const rows = vms.map((vm) => [
      vm.name,
      vm.tenant,
      vm.state,
      count((vm.placed ?? vm.spec).vcpus),
      count((vm.placed ?? vm.spec).memoryMiB),
      whyWords(vm, () => driver === null),
    ]);
    lines.push("", ...fitTable("<<<>><", [["VM", "TENANT", "STATE", "VCPUS", "MIB", "WHY"], ...rows], columns));
  }
  if (tasks.length > 0) {
    const rows = tasks.map(({ id: task, tenant, state, attempt, attemptsMax, command, args }) => [
      task,
      tenant,
      state,
      `${attempt} of ${attemptsMax}`,
      [command, ...args].join(" "),
    ]);
    lines.push("", ...fitTable("<<<<<", [["TASK", "TENANT", "STATE", "ATTEMPT", "COMMAND"], ...rows], columns));
  }
  if (vms.length + tasks.length === 0) lines.push("", "nothing is placed here");
  return lines;
}

/** Amounts are rounded down, so on a small host nothing may remain after the reserve. */
function reserveHint(worker: Worker, key: ResourceKey, name: string): string[] {
  if (worker.promisable[key] > 0 || worker.capacity[key] === 0) return [];
  return [
    "",
    `${name}: the reserve leaves nothing of ${count(worker.capacity[key])} to promise, so no VM fits here;`,
    "`blixard scheduler set --reserve` and its overcommit change that, for all workers",
  ];
}

const STATUS_NOTES = {
  online: "",
  cordoned: ": takes nothing new",
  draining: ": what is here moves elsewhere",
  offline: ": not heard of for longer than its lease",
} as const;
