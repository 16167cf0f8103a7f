import type { Command } from "commander";
import { type ClientOptions, withClientOptions, withNode } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";
import { fitTable } from "../../output/index.ts";

export function registerMembers(cluster: Command, { terminal }: Session): void {
  withClientOptions(
    withExamples(cluster.command("members"), ["blixard cluster members", "blixard cluster members --stale"]),
  )
    .description("Who belongs to the cluster, by replicated state.")
    .option("--stale", "what this node knows, without asking the leader")
    .action(async (options: ClientOptions & { readonly stale?: true }) => {
      const answer = await withNode(options, (api) =>
        api.read("cluster.members", { stale: options.stale === true }, { timeoutMs: options.timeout }),
      );
      if (options.json === true) {
        terminal.out(JSON.stringify(answer));
        return;
      }
      const rows = answer.members.map(({ id, role, peerId, addresses }) => [
        `${id}`,
        role,
        addresses.join(" "),
        peerId,
      ]);
      for (const line of fitTable("><<<", [["NODE", "ROLE", "ADDRESSES", "IDENTITY"], ...rows], terminal.columns))
        terminal.out(line);
    });
}
