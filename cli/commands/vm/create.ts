import type { Command } from "commander";
import { QUESTION_MS, type WaitOptions, withNode, withWaitOptions } from "../../client/index.ts";
import { type Session, UsageError, withExamples } from "../../frame/index.ts";
import { withDigest } from "./image-digest.ts";
import { type SpecFlags, specOf, withSpecOptions } from "./spec-flags.ts";
import { untilReached, type VmGoal } from "./waiting.ts";

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
      { defaults: true },
    ),
    "it runs",
  ).action(async (options: WaitOptions & SpecFlags & { readonly name?: string }) => {
    const described = await specOf(options);
    const spec = await withDigest(described.spec, options);
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
