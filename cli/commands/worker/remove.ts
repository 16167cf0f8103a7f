import type { Command } from "commander";
import { type ClientOptions, change, withClientOptions } from "../../client/index.ts";
import { confirm, parseNodeId, type Session, withExamples } from "../../frame/index.ts";

export function registerRemove(worker: Command, session: Session): void {
  withClientOptions(
    withExamples(worker.command("remove"), ["blixard worker remove 7", "blixard worker remove 7 --yes"]),
  )
    .description(
      "Take a worker that will never come back off the list, and cut it off for ever. Nothing may be placed there; a member leaves the cluster first.",
    )
    .argument("<worker>", "its number", parseNodeId)
    .option("--yes", "do not ask")
    .action(async (id: number, options: ClientOptions & { readonly yes?: true }) => {
      await confirm(`Remove worker ${id} for ever? Its id never comes back.`, options);
      await change(session, options, "worker.remove", { id }, { what: { id }, done: `worker ${id} is removed` });
    });
}
