import type { Command } from "commander";
import { type ClientOptions, withClientOptions, withNode } from "../../client/index.ts";
import { confirm, type Session, withExamples } from "../../frame/index.ts";

export function registerDelete(pool: Command, { terminal }: Session): void {
  withClientOptions(withExamples(pool.command("delete"), ["blixard ip-pool delete front --yes"]))
    .description("Delete an address pool of which nothing is in use.")
    .argument("<pool>", "its name")
    .option("--yes", "do not ask")
    .action(async (name: string, options: ClientOptions & { readonly yes?: true }) => {
      await confirm(`Delete the address pool ${name}?`, options);
      const answer = await withNode(options, (api) =>
        api.write("ipPool.delete", { name }, { timeoutMs: options.timeout }),
      );
      if (options.json === true) terminal.out(JSON.stringify({ name, ...answer }));
      else terminal.out(`address pool ${name} deleted: log index ${answer.index}, term ${answer.term}`);
    });
}
