/** `blixard vm plan`: where a VM would go. */
import type { Command } from "commander";
import { type ClientOptions, withClientOptions, withNode } from "../../client/index.ts";
import { EXIT, type Session, withExamples } from "../../frame/index.ts";
import { fits, type ReserveOf, renderPlan, reserveOf } from "./explanation.ts";
import { type SpecFlags, specOf, withSpecOptions } from "./spec-flags.ts";

/** The name of a VM that is planned without one. */
const ANY_NAME = "new-vm";

export function registerPlan(vm: Command, { terminal, end }: Session): void {
  withClientOptions(
    withSpecOptions(
      withExamples(vm.command("plan"), ["blixard vm plan --vcpus 8 --memory 16384", "blixard vm plan -f app.toml"])
        .description(
          "Show where a VM would go if it were created now, and change nothing. Exit code 1 when it fits nowhere.",
        )
        .option("--name <name>", "its name, unless the file has it"),
      { defaults: true },
    ),
  )
    .option("--all", "every worker, however many there are")
    .action(async (options: ClientOptions & SpecFlags & { readonly name?: string; readonly all?: true }) => {
      const { timeout: timeoutMs } = options;
      const described = await specOf(options);
      const { spec } = described;
      const name = options.name ?? described.name ?? ANY_NAME;
      const { answer, workers } = await withNode(options, async (api) => ({
        answer: await api.read("vm.plan", { name, spec }, { timeoutMs }),
        workers: (await api.read("worker.list", {}, { timeoutMs })).workers,
      }));
      const { obstacle, index: _, ...plan } = answer;
      if (options.json === true) terminal.out(JSON.stringify(answer));
      else {
        const known = new Map(workers.map((worker) => [worker.id, worker]));
        const reserve: ReserveOf = (id, resource) => {
          const worker = known.get(id);
          return worker === undefined ? 0 : reserveOf(worker, resource);
        };
        const how = { all: options.all === true, paint: terminal.paintOut, columns: terminal.columns, reserve };
        const driverOf = (id: number): string | null => known.get(id)?.driver ?? null;
        for (const line of renderPlan(name, plan, obstacle, driverOf, how)) terminal.out(line);
      }
      end(fits(plan, obstacle) ? EXIT.holds : EXIT.failed);
    });
}
