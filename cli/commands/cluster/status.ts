import type { Command } from "commander";
import type { AnswerOf } from "../../../runtime-real/index.ts";
import { type ClientOptions, whatIsWrong, withClientOptions, withNode } from "../../client/index.ts";
import { EXIT, type Session, withExamples } from "../../frame/index.ts";
import { duration, fitTable, type Paint, table } from "../../output/index.ts";

export function registerStatus(cluster: Command, { terminal, end }: Session): void {
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
