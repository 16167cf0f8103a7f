import type { Command } from "commander";
import { joinCluster, NodeStartError } from "../../../runtime-real/index.ts";
import { dataDirOption } from "../../client/index.ts";
import { FailureError, parseNodeId, type Session, UsageError, withExamples } from "../../frame/index.ts";

export function registerJoin(cluster: Command, { terminal }: Session): void {
  withExamples(cluster.command("join"), [
    "blixard cluster join 192.0.2.7:7001 --token TOKEN --id 2 --bind 192.0.2.8:7001",
  ])
    .description("Make this data directory a member of a cluster, without running the node yet.")
    .argument("<address>", "host:port of a member")
    .requiredOption("--token <token>", "from `blixard token create` on a member")
    .requiredOption("--id <n>", "the new node's number", parseNodeId)
    .addOption(dataDirOption())
    .option("--bind <host:port>", "where the node will listen for its peers")
    .option("--transport <kind>", "quic or tcp, as the other members use")
    .option("--json", "print one JSON object instead")
    .action(
      async (
        address: string,
        options: {
          readonly token: string;
          readonly id: number;
          readonly dataDir: string;
          readonly bind?: string;
          readonly transport?: string;
          readonly json?: true;
        },
      ) => {
        const { transport } = options;
        if (transport !== undefined && transport !== "quic" && transport !== "tcp")
          throw new UsageError(`--transport ${transport} does not exist`, "give quic or tcp");
        try {
          const joined = await joinCluster({
            dataDir: options.dataDir,
            nodeId: options.id,
            bind: options.bind ?? null,
            advertise: null,
            transport: transport ?? null,
            join: { addresses: [address], token: options.token },
            works: null,
            worker: {},
            log: { level: "warn", format: "pretty" },
          });
          if (options.json === true) terminal.out(JSON.stringify(joined));
          else
            terminal.out(
              `node ${joined.nodeId} belongs to cluster ${joined.clusterId}; start it: blixard node --data-dir ${options.dataDir}`,
            );
        } catch (error) {
          if (error instanceof NodeStartError) throw new FailureError(error.message, error.hint);
          throw error;
        }
      },
    );
}
