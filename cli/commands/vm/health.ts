/** `vm health`: the checks that a VM's worker makes. They are part of its specification: a change is one of its generations. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { type ApiClient, ApiError } from "../../../runtime-real/index.ts";
import { type ClientOptions, withClientOptions, withNode } from "../../client/index.ts";
import {
  FailureError,
  parseCount,
  parseDurationMs,
  type Session,
  UsageError,
  withExamples,
} from "../../frame/index.ts";
import { duration, fitTable } from "../../output/index.ts";
import { showOrSuggest, type Vm } from "./names.ts";
import type { Spec } from "./spec-flags.ts";

type Check = NonNullable<Spec["healthChecks"]>[number];
type Probe = Check["probe"];

export function registerHealth(vm: Command, session: Session): void {
  const health = withExamples(vm.command("health"), [
    "blixard vm health show web",
    "blixard vm health add web --name up --tcp 22",
  ]).description("Look at a VM's health checks, and change them.");
  registerShow(health, session);
  registerAdd(health, session);
  registerRemove(health, session);
}

function registerShow(health: Command, { terminal }: Session): void {
  withClientOptions(withExamples(health.command("show"), ["blixard vm health show web"]))
    .description("A VM's health checks, and how it is.")
    .argument("<vm>", "which VM")
    .option("--stale", "what this node knows, without asking the leader")
    .action(async (name: string, options: ClientOptions & { readonly stale?: true }) => {
      const { vm, index } = await withNode(options, (api) => showOrSuggest(api, name, options));
      const { state, reason, restarts, relocations, spec } = vm;
      if (options.json === true) {
        const { healthChecks, recovery } = spec;
        terminal.out(JSON.stringify({ index, name, state, reason, restarts, relocations, healthChecks, recovery }));
        return;
      }
      for (const line of renderHealth(vm, terminal.columns)) terminal.out(line);
    });
}

export function renderHealth({ name, state, reason, restarts, relocations, spec }: Vm, columns: number): string[] {
  const { healthChecks, recovery } = spec;
  const how = `${name} is ${state}${reason === "" ? "" : `: ${reason}`}`;
  const after = `${restarts} of ${recovery.restartsMax} restarts on this worker, ${relocations} moves to another`;
  if (healthChecks.length === 0)
    return [`${how}; ${after}`, "it has no health checks: it counts as healthy while it runs"];
  const rows = healthChecks.map((check) => [
    check.name,
    probeWords(check.probe),
    duration(check.intervalMs),
    duration(check.timeoutMs),
    duration(check.initialDelayMs),
    `${check.failures}/${check.successes}`,
    `${check.weight}`,
    check.critical ? "yes" : "no",
  ]);
  const head = ["CHECK", "PROBE", "EVERY", "TIME-OUT", "FROM", "FAIL/OK", "WEIGHT", "CRITICAL"];
  return [`${how}; ${after}`, "", ...fitTable("<<>>>>><", [head, ...rows], columns)];
}

function probeWords(probe: Probe): string {
  switch (probe.kind) {
    case "http":
      return `http :${probe.port}${probe.path}`;
    case "tcp":
      return `tcp :${probe.port}`;
    case "script":
      return `script ${probe.script}`;
    case "console":
      return `console /${probe.pattern}/`;
    case "process":
      return `process ${probe.process}`;
    case "guestAgent":
      return "guest agent";
  }
}

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

function registerAdd(health: Command, { terminal }: Session): void {
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

function registerRemove(health: Command, { terminal }: Session): void {
  withClientOptions(withExamples(health.command("remove"), ["blixard vm health remove web up"]))
    .description("Take a health check away.")
    .argument("<vm>", "which VM")
    .argument("<check>", "which check")
    .action(async (name: string, check: string, options: ClientOptions) => {
      const answer = await changeChecks(name, options, (checks) => {
        if (checks.every((known) => known.name !== check))
          throw new FailureError(
            `${name} has no health check ${check}`,
            `\`blixard vm health show ${name}\` lists them`,
          );
        return checks.filter((known) => known.name !== check);
      });
      if (options.json === true) terminal.out(JSON.stringify({ name, check, ...answer }));
      else
        terminal.out(
          `${name} has no health check ${check} any more: generation ${answer.generation}, log index ${answer.index}`,
        );
    });
}

/** Reads, changes and writes; begins again when somebody else was faster. */
async function changeChecks(
  name: string,
  options: ClientOptions,
  change: (checks: readonly Check[]) => Check[],
): Promise<{ readonly generation: number; readonly index: number; readonly term: number }> {
  const deadlineMs = performance.now() + options.timeout;
  return await withNode(options, async (api) => {
    for (;;) {
      const { vm } = await showOrSuggest(api, name, options);
      const spec: Spec = JSON.parse(JSON.stringify(vm.spec));
      try {
        return await update(
          api,
          name,
          vm.generation,
          { ...spec, healthChecks: change(spec.healthChecks ?? []) },
          options,
        );
      } catch (error) {
        const wasOvertaken = error instanceof ApiError && error.code === "generationMismatch";
        if (!wasOvertaken || performance.now() >= deadlineMs) throw error;
      }
    }
  });
}

async function update(
  api: ApiClient,
  name: string,
  expectedGeneration: number,
  spec: Spec,
  { timeout }: ClientOptions,
): Promise<{ readonly generation: number; readonly index: number; readonly term: number }> {
  return await api.write("vm.update", { name, expectedGeneration, spec }, { timeoutMs: timeout });
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

/** Such as 80/healthz. */
function parseHttp(text: string): { readonly port: number; readonly path: string } {
  const match = /^(\d{1,5})(\/.*)?$/.exec(text);
  if (match === null) throw new InvalidArgumentError("Give a port and a path, such as 80/healthz.");
  return { port: Number(match[1]), path: match[2] ?? "/" };
}
