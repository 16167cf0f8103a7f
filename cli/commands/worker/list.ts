import type { Command } from "commander";
import { type ClientOptions, withClientOptions, withNode } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";
import { bar, fitTable, type Paint, plural } from "../../output/index.ts";
import { RESOURCES, statusWord, takenOf, type Worker } from "./status.ts";

export function registerList(worker: Command, { terminal }: Session): void {
  withClientOptions(withExamples(worker.command("list"), ["blixard worker list", "blixard worker list --json"]))
    .description("All workers: how they are, and how full.")
    .option("--stale", "what this node knows, without asking the leader")
    .action(async (options: ClientOptions & { readonly stale?: true }) => {
      const answer = await withNode(options, (api) =>
        api.read("worker.list", { stale: options.stale === true }, { timeoutMs: options.timeout }),
      );
      if (options.json === true) terminal.out(JSON.stringify(answer));
      else if (answer.workers.length === 0)
        terminal.err("there are no workers yet: a node becomes one by itself a moment after it has started");
      else for (const line of renderWorkers(answer.workers, terminal.paintOut, terminal.columns)) terminal.out(line);
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
