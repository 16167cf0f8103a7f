/** The connection of a command to a node: how to find the node, how long to wait, and how to explain a failure. */
import { join } from "node:path";
import { type Command, Option } from "commander";
import {
  type AnswerOf,
  type ApiClient,
  ApiError,
  type ApiTarget,
  ConnectError,
  connectApi,
  isWorkerDirectory,
} from "../../runtime-real/index.ts";
import { FailureError, parseDurationMs, UsageError } from "../frame/index.ts";

export interface ClientOptions {
  readonly dataDir: string;
  readonly address?: string;
  readonly token?: string;
  readonly timeout: number;
  readonly json?: true;
}

export const DEFAULT_DATA_DIR = "./data";

export function dataDirOption(): Option {
  return new Option("--data-dir <dir>", "the node's data directory").default(DEFAULT_DATA_DIR).env("BLIXARD_DATA_DIR");
}

/** @param limit the default of `--timeout`, and its text in the help. */
export function withClientOptions(command: Command, limit = { ms: 10_000, text: "10s" }): Command {
  return command
    .addOption(dataDirOption())
    .addOption(
      new Option("--address <host:port>", "ask this node over TCP instead of the one in --data-dir").env(
        "BLIXARD_ADDRESS",
      ),
    )
    .addOption(new Option("--token <token>", "an API token, for --address").env("BLIXARD_TOKEN"))
    .addOption(
      new Option("--timeout <time>", "give up after this long")
        .argParser(parseDurationMs)
        .default(limit.ms, limit.text),
    )
    .option("--json", "print JSON, and nothing else");
}

/** Asks a node. @throws FailureError or UsageError with a hint where the request cannot be sent or is refused */
export async function withNode<Result>(
  options: ClientOptions,
  ask: (api: ApiClient) => Promise<Result>,
): Promise<Result> {
  const api = connectApi(targetOf(options));
  try {
    return await ask(api);
  } catch (error) {
    throw await explained(error, options, api);
  } finally {
    await api.close();
  }
}

export function targetOf({ dataDir, address, token }: Pick<ClientOptions, "dataDir" | "address" | "token">): ApiTarget {
  if (address === undefined) return { socketPath: join(dataDir, "api.sock") };
  if (!/^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+):\d{1,5}$/.test(address))
    throw new UsageError(`--address ${address} is no address`, "give host:port, such as 192.0.2.7:7100");
  if (token === undefined)
    throw new UsageError(
      "--address needs --token",
      "`blixard token create --purpose api` on the node's host makes one",
    );
  return { address, token };
}

async function explained(error: unknown, options: ClientOptions, api: ApiClient): Promise<unknown> {
  if (error instanceof ApiError) {
    const request = error.requestId === null ? "" : ` (request ${error.requestId})`;
    return new FailureError(error.message + (error.code === "internal" ? request : ""), error.hint);
  }
  if (!(error instanceof ConnectError)) return error;
  if (error.kind === "timedOut") {
    const status = await api.call("cluster.status", {}, { timeoutMs: STATUS_LIMIT_MS }).catch(() => null);
    const found = status === null ? null : whatIsWrong(status);
    return found === null
      ? new FailureError(error.message, "is the node overloaded? --timeout waits longer")
      : new FailureError(`${error.message}: ${found.wrong}`, found.hint);
  }
  if (options.address !== undefined)
    return new FailureError(error.message, "does a node with --api-bind listen there?");
  if (error.kind === "noNode" && isWorkerDirectory(options.dataDir))
    return new FailureError(
      `${options.dataDir} is that of a node that only works: it serves no commands`,
      "ask a member: --address HOST:PORT --token TOKEN, or on its host with --data-dir DIR",
    );
  return new FailureError(
    error.kind === "noNode" ? `no node is running in ${options.dataDir}` : error.message,
    "start one with `blixard node --id 1`, or say where it is: --data-dir DIR, or --address HOST:PORT --token TOKEN",
  );
}

/** A node answers `cluster.status` from memory, even while it cannot answer other requests. */
const STATUS_LIMIT_MS = 1000;

/** Why a cluster takes no writes, as one node sees it. Null: the node sees no reason. */
export function whatIsWrong(
  status: AnswerOf<"cluster.status">,
): { readonly wrong: string; readonly hint: string } | null {
  const { node, leaderId, quorum, members } = status;
  if (!quorum.has) {
    const missing = quorum.missing.map((id) => `node ${id}`).join(", ");
    return {
      wrong: `the cluster has lost its quorum: ${quorum.connected} of the voters are connected, ${quorum.needed} are needed; missing: ${missing}`,
      hint: `start the missing nodes again (${missing}), or look at their logs and the network between`,
    };
  }
  const soon = "an election takes a second or two: try again";
  if (leaderId === null) return { wrong: "no leader is known at the moment", hint: soon };
  if (members.some(({ id, connected }) => id === leaderId && !connected))
    return { wrong: `node ${leaderId}, which led last, is not connected to node ${node.id}`, hint: soon };
  return null;
}
