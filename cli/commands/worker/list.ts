import type { Command } from "commander";
import { type ReadOptions, show, withReadOptions } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";
import { bar, fitTable, type Paint, plural } from "../../output/index.ts";
import { RESOURCES, statusWord, takenOf, type Worker } from "./status.ts";

export function registerList(worker: Command, session: Session): void {
  withReadOptions(withExamples(worker.command("list"), ["blixard worker list", "blixard worker list --json"]))
    .description("All workers: how they are, and how full.")
    .action(async (options: ReadOptions) => {
      const { paintOut, columns } = session.terminal;
      await show(
        session,
        options,
        "worker.list",
        { stale: options.stale === true },
        ({ workers }) => (workers.length === 0 ? [] : renderWorkers(workers, paintOut, columns)),
        "there are no workers yet: a node becomes one by itself a moment after it has started",
      );
    });
}

const LIST_BAR = 4;

export function renderWorkers(workers: readonly Worker[], paint: Paint, columns: number): string[] {
  // Without any topology the column would be empty.
  const isPlaced = workers.some(({ topology }) => Object.values(topology).some((name) => name !== "default"));
  const rows = workers.map((worker) => [
    `${worker.id}`,
    statusWord(worker, paint),
    worker.driver ?? "none",
    ...RESOURCES.map(({ key }) => bar(takenOf(worker, key), worker.promisable[key], LIST_BAR, paint)),
    `${worker.vmCount}`,
    `${worker.taskCount}`,
    ...(isPlaced ? [placeWords(worker)] : []),
  ]);
  const head = ["WORKER", "STATUS", "DRIVER", "VCPUS", "MEMORY", "DISK", "VMS", "TASKS"];
  const lines = fitTable("><<<<<>><", [[...head, ...(isPlaced ? ["PLACE"] : [])], ...rows], columns);
  const idle = workers.filter(({ driver }) => driver === null).length;
  if (idle > 0)
    lines.push(
      "",
      `${idle === workers.length ? "No worker has" : `${plural(idle, "worker")} without`} a VM driver: VMs placed there stay Scheduled.`,
    );
  return lines;
}

function placeWords({ topology: { datacenter, zone, rack } }: Worker): string {
  return `${datacenter}/${zone}/${rack}`;
}
