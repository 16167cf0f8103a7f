/** `blixard node`: runs a node in the foreground. */
import { InvalidArgumentError, Option } from "commander";
import { NodeStartError, startNode } from "../../runtime-real/index.ts";
import { dataDirOption } from "../client/index.ts";
import {
  type CommandGroup,
  EXIT,
  FailureError,
  parseCount,
  parseDurationMs,
  parseNodeId,
  UsageError,
  VERSION,
  withExamples,
} from "../frame/index.ts";

interface NodeFlags {
  readonly id?: number;
  readonly bind?: string;
  readonly dataDir: string;
  readonly bootstrap?: true;
  readonly join?: string;
  readonly token?: string;
  readonly advertise?: string;
  readonly transport?: "quic" | "tcp";
  readonly apiBind?: string;
  readonly worker?: boolean;
  readonly workerOnly?: true;
  readonly datacenter?: string;
  readonly zone?: string;
  readonly rack?: string;
  readonly feature?: readonly string[];
  readonly costPerHour?: number;
  readonly vmDriver?: "qemu" | "none";
  readonly accel?: "auto" | "tcg" | "kvm";
  readonly guestsVia?: string;
  readonly uplink?: string;
  readonly masquerade?: boolean;
  readonly guestPorts?: readonly string[];
  readonly record?: string;
  readonly replaceFromPeers?: true;
  readonly logLevel: "trace" | "debug" | "info" | "warn" | "error";
  readonly logFormat?: "json" | "pretty";
  readonly electionTimeout?: number;
  readonly heartbeat?: number;
}

const STOP_LIMIT_MS = 10_000;

/** As long as Linux allows. */
const INTERFACE = /^[^\s/:]{1,15}$/;

function parseInterface(text: string): string {
  if (!INTERFACE.test(text)) throw new InvalidArgumentError("It must be the name of an interface, such as eth0.");
  return text;
}

function parsePorts(text: string): readonly string[] {
  if (text === "none") return [];
  const ports = text.split(",");
  for (const port of ports) {
    const number = Number(/^(?:tcp|udp)\/(\d{1,5})$/.exec(port)?.[1] ?? 0);
    if (number < 1 || number > 65_535) throw new InvalidArgumentError("It must be ports such as tcp/53,udp/53.");
  }
  return ports;
}

export const registerNode: CommandGroup = (program, session) => {
  withExamples(program.command("node"), [
    "blixard node --id 1 --bind 127.0.0.1:7001 --data-dir ./data",
    "blixard node --id 2 --bind 127.0.0.1:7002 --data-dir ./data-2 --join 127.0.0.1:7001 --token TOKEN",
    "blixard node --worker-only --id 7 --data-dir ./data-7 --join 127.0.0.1:7001 --token TOKEN --rack r2",
    "blixard node --data-dir ./data",
  ])
    .description(
      "Run a node in the foreground. The first one makes a cluster, later ones join it; a restart needs the data directory alone.",
    )
    .option("--id <n>", "its number, for ever; 1 to 2147483647", parseNodeId)
    .option("--bind <host:port>", "where it listens for its peers (default 127.0.0.1:7001); port 0: any free one")
    .addOption(dataDirOption())
    .option("--bootstrap", "make a new cluster, also with another id than 1")
    .option("--join <addresses>", "host:port of members to ask, separated by commas")
    .option("--token <token>", "from `blixard token create` on a member; for --join")
    .option("--advertise <addresses>", "where its peers reach it, when that is not where it listens")
    .addOption(new Option("--transport <kind>", "tcp for networks that let no UDP through").choices(["quic", "tcp"]))
    .option("--api-bind <host:port>", "serve the API over TCP too; it asks for a token")
    .option("--worker", "run tasks and VMs for the cluster on this host, as every node does unless told otherwise")
    .option("--no-worker", "run nothing for the cluster on this host")
    .option(
      "--worker-only",
      "join as a worker that is no member: it keeps no log, has no vote, and reports to the others",
    )
    .option("--datacenter <name>", "where this host stands, for placement; the same for --zone and --rack")
    .option("--zone <name>", "see --datacenter")
    .option("--rack <name>", "see --datacenter")
    .option(
      "--feature <name>",
      "something that this host has and VMs may ask for, beside what is found by itself; may be given again",
      (name: string, before: readonly string[] | undefined) => [...(before ?? []), name],
    )
    .option("--cost-per-hour <n>", "what an hour of this host costs, in thousandths of any one currency", parseCount)
    .addOption(new Option("--vm-driver <driver>", "what runs VMs on this host").choices(["qemu", "none"]))
    .addOption(
      new Option(
        "--accel <accelerator>",
        "what QEMU uses: kvm, tcg, which works everywhere and is slow, or auto, which tries whether guests boot with kvm",
      ).choices(["auto", "tcg", "kvm"]),
    )
    .option(
      "--guests-via <addresses>",
      "where other hosts send what is for guests on this one: an IP address, or one of each family; default: those of --advertise",
    )
    .option(
      "--uplink <interface>",
      "answer for guests on the network of this interface, so that its hosts reach them; none: on no network",
      parseInterface,
    )
    .option("--masquerade", "guests reach the outside with the address of this host")
    .option("--no-masquerade", "they do not, as is so unless told otherwise")
    .option(
      "--guest-ports <ports>",
      "ports of this host that its guests may reach, such as tcp/53,udp/53; none: no port, as is so unless told otherwise",
      parsePorts,
    )
    .option("--record <file>", "keep every input of the core in FILE, for `blixard sim replay`; it grows without end")
    .option(
      "--replace-from-peers",
      "the stored data is damaged: set it aside and join again, under a new id, as a learner",
    )
    .addOption(
      new Option("--log-level <level>", "how much to say")
        .choices(["trace", "debug", "info", "warn", "error"])
        .default("info"),
    )
    .addOption(
      new Option("--log-format <format>", "for people, or an object a line; pretty at a terminal").choices([
        "pretty",
        "json",
      ]),
    )
    .option(
      "--election-timeout <time>",
      "silence after which a leader is missed; the same on every node (default 1s)",
      parseDurationMs,
    )
    .option("--heartbeat <time>", "how often a leader speaks; the same on every node (default 100ms)", parseDurationMs)
    .action(async (flags: NodeFlags) => {
      if ((flags.join === undefined) !== (flags.token === undefined) && flags.replaceFromPeers !== true)
        throw new UsageError("--join and --token belong together", "`blixard token create` on a member prints both");
      const interrupt = session.watchInterrupt();
      try {
        const node = await startNode({
          version: VERSION,
          dataDir: flags.dataDir,
          nodeId: flags.id ?? null,
          bind: flags.bind ?? null,
          advertise: flags.advertise?.split(",") ?? null,
          transport: flags.transport ?? null,
          bootstrap: flags.bootstrap === true,
          join: flags.join === undefined ? null : { addresses: flags.join.split(","), token: flags.token ?? "" },
          replaceFromPeers: flags.replaceFromPeers === true,
          apiBind: flags.apiBind ?? null,
          works: flags.worker ?? null,
          workerOnly: flags.workerOnly === true,
          worker: {
            ...(flags.datacenter === undefined ? {} : { datacenter: flags.datacenter }),
            ...(flags.zone === undefined ? {} : { zone: flags.zone }),
            ...(flags.rack === undefined ? {} : { rack: flags.rack }),
            ...(flags.feature === undefined ? {} : { features: flags.feature }),
            ...(flags.costPerHour === undefined ? {} : { costPerHour: flags.costPerHour }),
            ...(flags.vmDriver === undefined ? {} : { vmDriver: flags.vmDriver === "none" ? null : flags.vmDriver }),
            ...(flags.accel === undefined ? {} : { accelerator: flags.accel }),
            ...(flags.guestsVia === undefined ? {} : { guestsVia: flags.guestsVia.split(",") }),
            ...(flags.uplink === undefined ? {} : { uplink: flags.uplink === "none" ? null : flags.uplink }),
            ...(flags.masquerade === undefined ? {} : { masquerade: flags.masquerade }),
            ...(flags.guestPorts === undefined ? {} : { guestPorts: flags.guestPorts }),
          },
          record: flags.record ?? null,
          raft: {
            ...(flags.electionTimeout === undefined ? {} : { electionTimeoutMs: flags.electionTimeout }),
            ...(flags.heartbeat === undefined ? {} : { heartbeatMs: flags.heartbeat }),
          },
          log: { level: flags.logLevel, format: flags.logFormat ?? (process.stderr.isTTY ? "pretty" : "json") },
        });
        const asked = new Promise<null>((resolve) => {
          if (interrupt.signal.aborted) resolve(null);
          interrupt.signal.addEventListener("abort", () => resolve(null));
        });
        const end = await Promise.race([node.ended, asked]);
        await node.stop(STOP_LIMIT_MS);
        if (end?.kind === "halted")
          throw new FailureError(
            `the node has stopped itself: ${end.reason}`,
            "its last log lines say where the recording is; `blixard sim replay` shows how it came to that",
          );
        session.end(EXIT.holds);
      } catch (error) {
        if (error instanceof NodeStartError || error instanceof RangeError)
          throw new FailureError(error.message, error instanceof NodeStartError ? error.hint : "change the option");
        throw error;
      }
    });
};
