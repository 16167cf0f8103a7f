import type { Command } from "commander";
import { type ClientOptions, change, withClientOptions } from "../../client/index.ts";
import { confirm, type Session, withExamples } from "../../frame/index.ts";

export function registerDelete(pool: Command, session: Session): void {
  withClientOptions(withExamples(pool.command("delete"), ["blixard ip-pool delete front --yes"]))
    .description("Delete an address pool of which nothing is in use.")
    .argument("<pool>", "its name")
    .option("--yes", "do not ask")
    .action(async (name: string, options: ClientOptions & { readonly yes?: true }) => {
      await confirm(`Delete the address pool ${name}?`, options);
      const told = { what: { name }, done: `address pool ${name} deleted` };
      await change(session, options, "ipPool.delete", { name }, told);
    });
}
