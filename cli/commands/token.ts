/** `blixard token`: secrets that let nodes join, and clients ask over TCP. */
import { type Command, Option } from "commander";
import { type AnswerOf, formatApiToken, formatJoinToken, makeToken } from "../../runtime-real/index.ts";
import { type ClientOptions, change, show, withClientOptions, withNode } from "../client/index.ts";
import { type CommandGroup, parseDurationMs, parseNodeId, type Session, withExamples } from "../frame/index.ts";
import { fitTable, formatTime } from "../output/index.ts";

export const registerToken: CommandGroup = (program, session) => {
  const token = withExamples(program.command("token"), ["blixard token create", "blixard token list"]).description(
    "Make and revoke tokens: for a node that joins, or for a client of the API.",
  );
  registerCreate(token, session);
  registerList(token, session);
  registerRevoke(token, session);
};

interface CreateOptions extends ClientOptions {
  readonly ttl: number;
  readonly purpose: "join" | "api";
  readonly forNode?: number;
}

function registerCreate(token: Command, { terminal }: Session): void {
  withClientOptions(
    withExamples(token.command("create"), [
      "blixard token create",
      "blixard token create --for-node 2 --ttl 10m",
      "blixard token create --purpose api --ttl 30d",
    ])
      .description("Make a token. It is shown once: the cluster keeps only a hash of it.")
      .addOption(
        new Option("--purpose <purpose>", "join: one node may join; api: a client may ask over TCP")
          .choices(["join", "api"])
          .default("join"),
      )
      .addOption(
        new Option("--ttl <time>", "for how long it is good").argParser(parseDurationMs).default(3_600_000, "1h"),
      )
      .option("--for-node <n>", "only this node may join with it", parseNodeId),
  ).action(async (options: CreateOptions) => {
    const made = makeToken();
    const { id, secretHash } = made;
    const { purpose, ttl: ttlMs, timeout: timeoutMs, forNode: nodeId = null } = options;
    const { answer, address } = await withNode(options, async (api) => {
      const answer = await api.write("token.create", { id, secretHash, purpose, ttlMs, nodeId }, { timeoutMs });
      const status = await api.call("cluster.status", {}, { timeoutMs });
      return { answer, address: status.node.addresses[0] ?? "HOST:PORT" };
    });
    const text = purpose === "api" ? formatApiToken(made) : formatJoinToken(made, answer.clusterId, answer.voters);
    if (options.json === true) {
      const { index, term, expiresAtMs } = answer;
      terminal.out(JSON.stringify({ id, token: text, purpose, nodeId, expiresAtMs, index, term }));
      return;
    }
    terminal.out(text);
    const use =
      purpose === "api"
        ? "blixard vm list --address HOST:PORT --token TOKEN"
        : `blixard node --id ${nodeId ?? "N"} --bind HOST:PORT --data-dir DIR --join ${address} --token ${text}`;
    terminal.err(
      `good until ${formatTime(answer.expiresAtMs)}${purpose === "join" ? ", for one node" : ""}; to use it:\n  ${use}`,
    );
  });
}

function registerList(token: Command, session: Session): void {
  withClientOptions(withExamples(token.command("list"), ["blixard token list"]))
    .description("All tokens, without their secrets.")
    .action(async (options: ClientOptions) => {
      await show(session, options, "token.list", {}, ({ tokens }) => renderTokens(tokens, session.terminal.columns));
    });
}

function renderTokens(tokens: AnswerOf<"token.list">["tokens"], columns: number): readonly string[] {
  const rows = tokens.map(({ id, purpose, nodeId, expiresAtMs, usedBy, revokedAtMs }) => [
    id,
    purpose,
    nodeId === null ? "any" : `${nodeId}`,
    formatTime(expiresAtMs),
    revokedAtMs !== null
      ? "revoked"
      : usedBy !== null
        ? `used by node ${usedBy}`
        : expiresAtMs <= Date.now()
          ? "expired"
          : "good",
  ]);
  return fitTable("<<><<", [["ID", "PURPOSE", "NODE", "EXPIRES", "STATE"], ...rows], columns);
}

function registerRevoke(token: Command, session: Session): void {
  withClientOptions(withExamples(token.command("revoke"), ["blixard token revoke 4f3c2b1a09f8e7d6"]))
    .description("Make a token worthless.")
    .argument("<id>", "its id, as `blixard token list` shows it")
    .action(async (id: string, options: ClientOptions) => {
      await change(session, options, "token.revoke", { id }, { what: { id }, done: `token ${id} is revoked` });
    });
}
