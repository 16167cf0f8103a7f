/** `blixard sim`: the simulator's commands. Their work is imported when they run, so that `--help` is quick. */
import { type Command, Option } from "commander";
import type { HistoryForm } from "../../../runtime-sim/index.ts";
import {
  type CommandGroup,
  parseCount,
  parseDurationMs,
  parseJobs,
  parseNodes,
  parseSeed,
  parseSeedRange,
  parseShard,
  type Session,
  UsageError,
  withExamples,
} from "../../frame/index.ts";
import type { CheckHistoryOptions } from "./check-history.ts";
import type { ReplayOptions } from "./replay.ts";
import type { SimOptions } from "./run.ts";
import type { SweepOptions } from "./sweep/index.ts";

const NODES = ["--nodes <n>", "how many servers, 1 to 7, in place of the scenario's", parseNodes] as const;
const DURATION = [
  "--duration <time>",
  "how much virtual time, such as 90s, 10m, 2h or 1d, in place of the scenario's",
  parseDurationMs,
] as const;

const HISTORY_FORMS: readonly HistoryForm[] = ["jepsen", "own"];

const WALL_LIMIT = [
  "--wall-limit <time>",
  "a run that takes longer by the wall clock is ended as a runaway; 10m unless given",
  parseDurationMs,
] as const;

export const registerSim: CommandGroup = (program, session) => {
  const sim: Command = withExamples(program.command("sim"), [
    "blixard sim --seed 12345 byzantine",
    "blixard sim partitions --seed 7 --nodes 3 --duration 10m --verbose",
    "blixard sim swarm --seed 7 --save-faults faults.json",
    "blixard sim swarm --seed 7 --faults faults.json --trace trace.jsonl",
    "blixard sim swarm --seed 7 --history history.jsonl",
    "blixard sim byzantine --verdicts",
  ])
    .description("Run the production core through a seeded disaster, check it, and say what happened.")
    .argument("[scenario]", "which disaster; see sim list", "swarm")
    .option("--seed <n>", "what all randomness is drawn from; a random one unless given", parseSeed)
    .option(...NODES)
    .option(...DURATION)
    .option("--json", "print one JSON object instead of the summary")
    .option("--verbose", "print a line for every state transition")
    .option("--trace <file>", "write every event to FILE, one JSON object a line")
    .option("--history <file>", "write what clients asked and were told to FILE, one JSON object a line")
    .addOption(
      new Option(
        "--history-form <form>",
        "jepsen: registers; own: all calls and answers, with generations of VMs. sim check-history reads both",
      )
        .choices(HISTORY_FORMS)
        .default("jepsen"),
    )
    .option("--faults <file>", "replay the faults in FILE in place of those drawn from the seed")
    .option("--save-faults <file>", "write the faults of this run to FILE, for reading, editing and --faults")
    .option(...WALL_LIMIT)
    .option("--check-determinism", "run twice, and name the first event that differs if one does")
    .option("--verdicts", "print what each Byzantine act is expected to lead to, and run nothing")
    // Options after a subcommand's name belong to the subcommand.
    .enablePositionalOptions()
    .hook("preSubcommand", (_sim, subcommand) => refuseOptionsBefore(sim, subcommand))
    .action(async (scenario: string, options: SimOptions & { readonly verdicts?: true }) => {
      if (options.verdicts === true) {
        const { printVerdicts } = await import("./verdicts.ts");
        printVerdicts(scenarioGiven(sim), options, session.terminal);
        return;
      }
      const { runScenario } = await import("./run.ts");
      session.end(await runScenario(scenario, options, session.terminal, session.watchInterrupt()));
    });

  registerList(sim, session);
  registerSweep(sim, session);
  registerCheckHistory(sim, session);
  registerReplay(sim, session);
};

function registerReplay(sim: Command, session: Session): void {
  withExamples(sim.command("replay"), [
    "blixard sim replay node1.recording",
    "blixard sim replay halt-1795519583054.recording --verbose --from 1200",
  ])
    .description("Run the core again over what `blixard node --record` kept, and show how it decided.")
    .argument("<file>", "the recording")
    .option("--from <step>", "print nothing before this step", parseCount, 0)
    .option("--to <step>", "print nothing after this step", parseCount, Number.MAX_SAFE_INTEGER)
    .option("--verbose", "print every step and every decision, not only what changes the node's role, term or members")
    .option("--show", "print the inputs without running anything: for a recording that lacks its beginning")
    .option("--json", "print one JSON object a line instead")
    .action(async (file: string, options: ReplayOptions) => {
      const { replayRecording } = await import("./replay.ts");
      session.end(await replayRecording(file, options, session.terminal));
    });
}

function registerList(sim: Command, session: Session): void {
  withExamples(sim.command("list"), ["blixard sim list", "blixard sim list --faults", "blixard sim list --json"])
    .description("List the scenarios, or the kinds of fault.")
    .option("--faults", "list the kinds of fault, their parameters and the limits of each")
    .option("--json", "print one JSON object instead")
    .action(async (options: { readonly faults?: true; readonly json?: true }) => {
      const { printFaults, printScenarios } = await import("./list.ts");
      const print = options.faults === true ? printFaults : printScenarios;
      print(options, session.terminal);
    });
}

function registerSweep(sim: Command, session: Session): void {
  withExamples(sim.command("sweep"), [
    "blixard sim sweep --seeds 1..1000",
    "blixard sim sweep swarm partitions --seeds 1..1000 --time 60s",
    "blixard sim sweep --seeds 1..1000000 --shard 3/64 --junit sweep.xml --json",
  ])
    .description("Run many seeds of some scenarios, or of all, on every processor, and say which fail.")
    .argument("[scenarios...]", "which; all unless given; see sim list")
    .addOption(
      new Option("--seeds <range>", "which seeds: 7, or 1..1000 with both ends included")
        .argParser(parseSeedRange)
        .default({ first: 1, last: 100 }, "1..100"),
    )
    .option(...NODES)
    .option(...DURATION)
    .option("--jobs <n>", "how many runs at once; as many as there are processors unless given", parseJobs)
    .option("--time <time>", "end after this long by the wall clock, such as 60s", parseDurationMs)
    .option(...WALL_LIMIT)
    .option("--shard <part/parts>", "run only this part of all the runs, such as 3/64", parseShard)
    .option("--junit <file>", "write the results to FILE as JUnit XML")
    .option("--coverage", "count the marks of the core that the runs pass, and list those that none has")
    .option("--json", "print one JSON object a run, each as it finishes, instead of the totals")
    .action(async (scenarios: readonly string[], options: SweepOptions) => {
      const { sweep } = await import("./sweep/index.ts");
      session.end(await sweep(scenarios, options, session.terminal, session.watchInterrupt()));
    });
}

function registerCheckHistory(sim: Command, session: Session): void {
  withExamples(sim.command("check-history"), [
    "blixard sim check-history history.jsonl",
    "blixard sim check-history history.jsonl --json",
  ])
    .description("Check that a client history, in Jepsen's form or our own, one JSON object a line, is linearizable.")
    .argument("<file>", "the history; its forms are in docs/simulator.md")
    .option("--json", "print one JSON object instead")
    .action(async (file: string, options: CheckHistoryOptions) => {
      const { checkHistoryFile } = await import("./check-history.ts");
      session.end(checkHistoryFile(file, options, session.terminal));
    });
}

/** Refuses `sim --json sweep`: the option would have no effect, for a subcommand reads only what follows its name. */
function refuseOptionsBefore(sim: Command, subcommand: Command): void {
  const given = sim.options.find((option) => sim.getOptionValueSource(option.attributeName()) === "cli");
  if (given === undefined) return;
  const name = subcommand.name();
  const takes = subcommand.options.some((option) => option.long === given.long);
  throw new UsageError(
    `${given.long} stands before ${name}`,
    takes ? `write it behind: blixard sim ${name} ${given.long}` : `sim ${name} takes no ${given.long}: leave it out`,
  );
}

function scenarioGiven(sim: Command): string | null {
  return sim.args[0] ?? null;
}
