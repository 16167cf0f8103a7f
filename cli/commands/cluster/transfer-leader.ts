import type { Command } from "commander";
import { type ClientOptions, withClientOptions, withNode } from "../../client/index.ts";
import { parseNodeId, type Session, withExamples } from "../../frame/index.ts";

export function registerTransfer(cluster: Command, { terminal }: Session): void {
  withClientOptions(withExamples(cluster.command("transfer-leader"), ["blixard cluster transfer-leader --to 2"]))
    .description("Hand leadership to another voter. Returns when it leads.")
    .option("--to <n>", "which one; the one with most of the log unless given", parseNodeId)
    .action(async (options: ClientOptions & { readonly to?: number }) => {
      const answer = await withNode(options, (api) =>
        api.call("cluster.transferLeader", { to: options.to ?? null }, { timeoutMs: options.timeout }),
      );
      if (options.json === true) terminal.out(JSON.stringify(answer));
      else terminal.out(`node ${answer.leaderId} leads`);
    });
}
