/** `vm create`, `vm update` and `vm plan`: a specification, and what becomes of it. */
import type { Command } from "commander";
import {
  type ClientOptions,
  QUESTION_MS,
  type WaitOptions,
  withClientOptions,
  withNode,
  withWaitOptions,
} from "../../client/index.ts";
import { EXIT, type Session, UsageError, withExamples } from "../../frame/index.ts";
import { showOrSuggest } from "./names.ts";
import { fits, type ReserveOf, renderPlan, reserveOf } from "./plan.ts";
import { type Spec, type SpecFlags, specOf, withSpecOptions } from "./spec-flags.ts";
import { untilReached, type VmGoal } from "./waiting.ts";

/** Of a VM that is only thought of. */
const ANY_NAME = "new-vm";

const CREATED: VmGoal = { asked: "created", reached: ({ state }) => state === "Running" };

export function registerCreate(vm: Command, session: Session): void {
  const { terminal } = session;
  withWaitOptions(
    withSpecOptions(
      withExamples(vm.command("create"), [
        "blixard vm create --name web --vcpus 2 --memory 1024",
        "blixard vm create --name db --disk 50 --metadata owner=ops --no-wait",
        "blixard vm create -f app.toml",
      ])
        .description(
          "Ask for a VM, and wait until it runs. One that cannot run says why, and is not asked for in vain: it runs when it can.",
        )
        .option("--name <name>", "its name, unless the file has it: lower-case letters, digits and hyphens"),
    ),
    "it runs",
  ).action(async (options: WaitOptions & SpecFlags & { readonly name?: string }) => {
    const described = await specOf(options);
    const { spec } = described;
    const name = options.name ?? described.name;
    if (name === null) throw new UsageError("the VM has no name", "give --name NAME, or a name in the file");
    await withNode(options, async (api) => {
      const timeoutMs = Math.min(options.timeout, QUESTION_MS);
      const created = await api.write("vm.create", { name, spec }, { timeoutMs });
      if (options.json === true) terminal.out(JSON.stringify({ name, ...created }));
      else terminal.out(`${name} created: log index ${created.index}, term ${created.term}`);
      if (options.wait === false) return;
      const ended = await untilReached(api, name, CREATED, options, session);
      if (ended.kind === "reached" && options.json !== true)
        terminal.out(`${name} runs on worker ${ended.vm.workerId}`);
    });
  });
}

export function registerUpdate(vm: Command, { terminal }: Session): void {
  withClientOptions(
    withSpecOptions(
      withExamples(vm.command("update"), ["blixard vm update web --memory 2048"])
        .description(
          "Change a VM's specification: what is not given stays. Room for it is kept at once; it takes effect with the next run.",
        )
        .argument("<vm>", "which VM"),
    ),
  ).action(async (name: string, options: ClientOptions & SpecFlags) => {
    const { name: other, spec: changes } = await specOf(options);
    if (other !== null && other !== name)
      throw new UsageError(
        `${options.file} describes the VM ${other}, not ${name}`,
        `say \`blixard vm update ${other}\``,
      );
    if (Object.keys(changes).length === 0)
      throw new UsageError("there is nothing to change", "give a flag such as --memory 2048");
    const answer = await withNode(options, async (api) => {
      const { vm: present } = await showOrSuggest(api, name, options);
      const spec: Spec = JSON.parse(JSON.stringify({ ...present.spec, ...changes }));
      const request = { name, expectedGeneration: present.generation, spec };
      return await api.write("vm.update", request, { timeoutMs: options.timeout });
    });
    if (options.json === true) terminal.out(JSON.stringify({ name, ...answer }));
    else
      terminal.out(`${name} changed: generation ${answer.generation}, log index ${answer.index}, term ${answer.term}`);
  });
}

export function registerPlan(vm: Command, { terminal, end }: Session): void {
  withClientOptions(
    withSpecOptions(
      withExamples(vm.command("plan"), ["blixard vm plan --vcpus 8 --memory 16384", "blixard vm plan -f app.toml"])
        .description(
          "Show where a VM would go if it were created now, and change nothing. Exit code 1 when it fits nowhere.",
        )
        .option("--name <name>", "its name, unless the file has it"),
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
