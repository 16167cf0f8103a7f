import type { Command } from "commander";
import { type ClientOptions, withClientOptions, withNode } from "../../client/index.ts";
import { type Session, UsageError, withExamples } from "../../frame/index.ts";
import { withDigest } from "./image-digest.ts";
import { showOrSuggest } from "./names.ts";
import { type Spec, type SpecFlags, specOf, withSpecOptions } from "./spec-flags.ts";

export function registerUpdate(vm: Command, { terminal }: Session): void {
  withClientOptions(
    withSpecOptions(
      withExamples(vm.command("update"), ["blixard vm update web --memory 2048"])
        .description(
          "Change a VM's specification: what is not given stays. Room for it is kept at once; it takes effect with the next run.",
        )
        .argument("<vm>", "which VM"),
      { defaults: false },
    ),
  ).action(async (name: string, options: ClientOptions & SpecFlags) => {
    const { name: other, spec } = await specOf(options);
    const changes = await withDigest(spec, options);
    if (other !== null && other !== name)
      throw new UsageError(
        `${options.file} describes the VM ${other}, not ${name}`,
        `say \`blixard vm update ${other}\``,
      );
    if (Object.keys(changes).length === 0)
      throw new UsageError("there is nothing to change", "give a flag such as --memory 2048");
    const answer = await withNode(options, async (api) => {
      const { vm: present } = await showOrSuggest(api, name, options);
      const changed: Spec = JSON.parse(JSON.stringify({ ...present.spec, ...changes }));
      const request = { name, expectedGeneration: present.generation, spec: changed };
      return await api.write("vm.update", request, { timeoutMs: options.timeout });
    });
    if (options.json === true) terminal.out(JSON.stringify({ name, ...answer }));
    else
      terminal.out(`${name} changed: generation ${answer.generation}, log index ${answer.index}, term ${answer.term}`);
  });
}
