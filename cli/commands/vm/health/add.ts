import { type Command, InvalidArgumentError, Option } from "commander";
import { type ClientOptions, withClientOptions } from "../../../client/index.ts";
import { parseCount, parseDurationMs, type Session, UsageError, withExamples } from "../../../frame/index.ts";
import { type Check, changeChecks, type Probe } from "./change.ts";

interface AddOptions extends ClientOptions {
  readonly name: string;
  readonly http?: { readonly port: number; readonly path: string };
  readonly tcp?: number;
  readonly script?: string;
  readonly console?: string;
  readonly process?: string;
  readonly guestAgent?: true;
  readonly interval?: number;
  readonly checkTimeout?: number;
  readonly initialDelay?: number;
  readonly failures?: number;
  readonly successes?: number;
  readonly weight?: number;
  readonly critical?: true;
}

export function registerAdd(health: Command, { terminal }: Session): void {
  withClientOptions(
    withExamples(health.command("add"), [
      "blixard vm health add web --name up --tcp 22",
      "blixard vm health add web --name site --http 80/healthz --interval 10s --critical",
    ])
      .description("Add a health check, or replace the one of that name.")
      .argument("<vm>", "which VM")
      .requiredOption("--name <name>", "the check's name")
      .addOption(new Option("--http <port/path>", "healthy while this answers").argParser(parseHttp))
      .addOption(new Option("--tcp <port>", "healthy while this port takes connections").argParser(parseCount))
      .option("--script <script>", "healthy while this ends with exit code 0 in the guest")
      .option("--console <pattern>", "healthy once the console shows this")
      .option("--process <name>", "healthy while this runs in the guest")
      .option("--guest-agent", "healthy while the guest agent answers")
      .option("--interval <time>", "between two checks", parseDurationMs)
      .option("--check-timeout <time>", "how long one may take", parseDurationMs)
      .option("--initial-delay <time>", "from when it runs to the first check", parseDurationMs)
      .option("--failures <n>", "in a row that turn it unhealthy", parseCount)
      .option("--successes <n>", "in a row that turn it healthy", parseCount)
      .option("--weight <n>", "0 to 1000, of those that are not critical", parseCount)
      .option("--critical", "unhealthy for this one alone"),
  ).action(async (name: string, options: AddOptions) => {
    const check: Check = {
      name: options.name,
      probe: probeOf(options),
      ...(options.interval === undefined ? {} : { intervalMs: options.interval }),
      ...(options.checkTimeout === undefined ? {} : { timeoutMs: options.checkTimeout }),
      ...(options.initialDelay === undefined ? {} : { initialDelayMs: options.initialDelay }),
      ...(options.failures === undefined ? {} : { failures: options.failures }),
      ...(options.successes === undefined ? {} : { successes: options.successes }),
      ...(options.weight === undefined ? {} : { weight: options.weight }),
      ...(options.critical === undefined ? {} : { critical: options.critical }),
    };
    const answer = await changeChecks(name, options, (checks) => [
      ...checks.filter((known) => known.name !== check.name),
      check,
    ]);
    if (options.json === true) terminal.out(JSON.stringify({ name, check: check.name, ...answer }));
    else
      terminal.out(
        `${name} has the health check ${check.name}: generation ${answer.generation}, log index ${answer.index}`,
      );
  });
}

function probeOf(options: AddOptions): Probe {
  const probes: Probe[] = [];
  if (options.http !== undefined) probes.push({ kind: "http", ...options.http });
  if (options.tcp !== undefined) probes.push({ kind: "tcp", port: options.tcp });
  if (options.script !== undefined) probes.push({ kind: "script", script: options.script });
  if (options.console !== undefined) probes.push({ kind: "console", pattern: options.console });
  if (options.process !== undefined) probes.push({ kind: "process", process: options.process });
  if (options.guestAgent !== undefined) probes.push({ kind: "guestAgent" });
  const [probe, ...more] = probes;
  if (probe === undefined || more.length > 0)
    throw new UsageError(
      "a health check has one probe",
      "give one of --http, --tcp, --script, --console, --process and --guest-agent",
    );
  return probe;
}

/** Reads a port and a path, such as 80/healthz. */
function parseHttp(text: string): { readonly port: number; readonly path: string } {
  const match = /^(\d{1,5})(\/.*)?$/.exec(text);
  if (match === null) throw new InvalidArgumentError("Give a port and a path, such as 80/healthz.");
  return { port: Number(match[1]), path: match[2] ?? "/" };
}
