/** `blixard cluster`: who belongs to it, and how it is. */
import { createInterface, type Interface } from "node:readline/promises";
import type { Command } from "commander";
import { type AnswerOf, joinCluster, NodeStartError } from "../../runtime-real/index.ts";
import { type ClientOptions, dataDirOption, whatIsWrong, withClientOptions, withNode } from "../client/index.ts";
import {
  type CommandGroup,
  EXIT,
  FailureError,
  parseNodeId,
  type Session,
  UsageError,
  withExamples,
} from "../frame/index.ts";
import { duration, fitTable, type Paint, table } from "../output/index.ts";

export const registerCluster: CommandGroup = (program, session) => {
  const cluster = withExamples(program.command("cluster"), [
    "blixard cluster status",
    "blixard cluster leave --node 3",
  ]).description("Look at the cluster, and change who belongs to it.");
  registerStatus(cluster, session);
  registerMembers(cluster, session);
  registerJoin(cluster, session);
  registerLeave(cluster, session);
  registerTransfer(cluster, session);
};

function registerStatus(cluster: Command, { terminal, end }: Session): void {
  withClientOptions(
    withExamples(cluster.command("status"), ["blixard cluster status", "blixard cluster status --json"]),
  )
    .description("How the cluster looks from one node. Exit code 1 when it has no quorum.")
    .action(async (options: ClientOptions) => {
      const status = await withNode(options, (api) => api.call("cluster.status", {}, { timeoutMs: options.timeout }));
      if (options.json === true) terminal.out(JSON.stringify(status));
      else for (const line of renderStatus(status, terminal.paintOut, terminal.columns)) terminal.out(line);
      end(status.quorum.has ? EXIT.holds : EXIT.failed);
    });
}

export function renderStatus(status: AnswerOf<"cluster.status">, paint: Paint, columns: number): string[] {
  const { node, leaderId, quorum, members } = status;
  const missing = quorum.missing.map((id) => `node ${id}`).join(", ");
  const wrong = whatIsWrong(status)?.wrong ?? null;
  const health = quorum.has
    ? wrong === null
      ? paint("green", `node ${leaderId} leads, term ${status.term}`)
      : paint("yellow", wrong)
    : paint("red", `QUORUM LOST: ${quorum.connected} voters of ${quorum.needed} needed; missing: ${missing}`);
  return [
    ...table("<<", [
      ["cluster", status.clusterId],
      ["seen by", `node ${node.id} (${node.role}), up ${duration(node.uptimeMs)}, blixard ${status.version}`],
      ["health", quorum.isJoint ? `${health}; the voters are changing` : health],
      ["log", `${status.commitIndex} committed, ${status.appliedIndex} applied`],
      ["holds", `${status.counts.vms} VMs, ${status.counts.sessions} client sessions`],
    ]),
    "",
    ...fitTable(
      "><<>><",
      [
        ["NODE", "ROLE", "STATE", "HEARD", "MATCH", "ADDRESSES"],
        ...members.map(({ id, role, connected, lastHeardMs, matchIndex, addresses }) => [
          `${id}`,
          id === leaderId ? "leader" : role,
          id === node.id ? "here" : connected ? paint("green", "connected") : paint("red", "missing"),
          lastHeardMs === null ? "-" : `${duration(lastHeardMs)} ago`,
          matchIndex === null ? "-" : `${matchIndex}`,
          addresses.join(" "),
        ]),
      ],
      columns,
    ),
  ];
}

function registerMembers(cluster: Command, { terminal }: Session): void {
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

function registerJoin(cluster: Command, { terminal }: Session): void {
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

function registerLeave(cluster: Command, { terminal }: Session): void {
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

function registerTransfer(cluster: Command, { terminal }: Session): void {
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

/** Asks at a terminal; where nobody can answer, `--yes` must have been given. */
export async function confirm(
  question: string,
  { yes, json }: { readonly yes?: true; readonly json?: true },
): Promise<void> {
  if (yes === true) return;
  if (!process.stdin.isTTY || !process.stderr.isTTY || json === true)
    throw new UsageError("this cannot be undone, and nobody is there to be asked", "say --yes");
  if (!(await isAnsweredYes(question, createInterface({ input: process.stdin, output: process.stderr }))))
    throw new FailureError("nothing was changed", "answer y to go on");
}

/** Ctrl-C and Ctrl-D say no. */
export async function isAnsweredYes(question: string, asked: Interface): Promise<boolean> {
  try {
    return /^y(es)?$/i.test((await asked.question(`${question} [y/N] `)).trim());
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") return false;
    throw error;
  } finally {
    asked.close();
  }
}
