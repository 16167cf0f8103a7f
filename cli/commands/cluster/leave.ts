import type { Command } from "commander";
import { type ClientOptions, withClientOptions, withNode } from "../../client/index.ts";
import { confirm, parseNodeId, type Session, withExamples } from "../../frame/index.ts";

export function registerLeave(cluster: Command, { terminal }: Session): void {
  withClientOptions(
    withExamples(cluster.command("leave"), ["blixard cluster leave", "blixard cluster leave --node 3 --yes"]),
  )
    .description("Take a node out of the cluster, for ever. Returns when the change is committed.")
    .option("--node <n>", "which one; the one that is asked unless given", parseNodeId)
    .option("--yes", "do not ask")
    .action(async (options: ClientOptions & { readonly node?: number; readonly yes?: true }) => {
      const who = options.node === undefined ? "this node" : `node ${options.node}`;
      await confirm(`Take ${who} out of the cluster? Its id never comes back.`, options);
      terminal.progress(`${who} leaves ...`);
      const answer = await withNode(options, (api) =>
        api.call("cluster.leave", { nodeId: options.node ?? null }, { timeoutMs: options.timeout }),
      );
      if (options.json === true) terminal.out(JSON.stringify(answer));
      else terminal.out(`node ${answer.nodeId} has left; log index ${answer.index}, term ${answer.term}`);
    });
}
