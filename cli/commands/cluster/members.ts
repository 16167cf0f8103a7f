import type { Command } from "commander";
import { type ReadOptions, show, withReadOptions } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";
import { fitTable } from "../../output/index.ts";

export function registerMembers(cluster: Command, session: Session): void {
  withReadOptions(
    withExamples(cluster.command("members"), ["blixard cluster members", "blixard cluster members --stale"]),
  )
    .description("Who belongs to the cluster, by replicated state.")
    .action(async (options: ReadOptions) => {
      const request = { stale: options.stale === true };
      await show(session, options, "cluster.members", request, ({ members }) => {
        const rows = members.map(({ id, role, peerId, addresses }) => [`${id}`, role, addresses.join(" "), peerId]);
        return fitTable("><<<", [["NODE", "ROLE", "ADDRESSES", "IDENTITY"], ...rows], session.terminal.columns);
      });
    });
}
