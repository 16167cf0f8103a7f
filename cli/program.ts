/** The `blixard` command: its groups, and how whatever they throw becomes words and an exit code. */
import { Command, CommanderError } from "commander";
import { registerCluster } from "./cluster.ts";
import { registerCompletion } from "./completion.ts";
import { registerDoctor } from "./doctor.ts";
import { registerAudit, registerEvents } from "./events.ts";
import { type CommandGroup, type Session, withExamples } from "./group.ts";
import type { Interrupt } from "./interrupt.ts";
import { registerIpPool } from "./ip-pool.ts";
import { registerNode } from "./node.ts";
import { EXIT, type ExitCode, FailureError, UsageError } from "./outcome.ts";
import { registerQuota } from "./quota.ts";
import { registerRebalance, registerScheduler } from "./scheduler.ts";
import { registerSim } from "./sim/index.ts";
import { registerTask } from "./task.ts";
import type { Terminal } from "./terminal.ts";
import { registerToken } from "./token.ts";
import { VERSION } from "./version.ts";
import { registerVm } from "./vm/index.ts";
import { registerWorker } from "./worker.ts";

/** Every command group, in the order in which help shows them. */
const groups: readonly CommandGroup[] = [
  registerNode,
  registerCluster,
  registerWorker,
  registerVm,
  registerTask,
  registerQuota,
  registerIpPool,
  registerScheduler,
  registerRebalance,
  registerToken,
  registerEvents,
  registerAudit,
  registerDoctor,
  registerSim,
  registerCompletion,
];

/** Runs one command line, without the program's own name in front. */
export async function execute(
  args: readonly string[],
  terminal: Terminal,
  watchInterrupt: () => Interrupt,
): Promise<ExitCode> {
  let code: ExitCode = EXIT.holds;
  const session: Session = {
    terminal,
    watchInterrupt,
    end(ended) {
      code = ended;
    },
  };
  try {
    await programOf(session).parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    return explain(error, terminal);
  }
}

function programOf(session: Session): Command {
  const { terminal } = session;
  const program = withExamples(new Command("blixard"), [
    "blixard node --id 1",
    "blixard vm create --name web --vcpus 2 --memory 1024",
    "blixard sim --seed 12345 byzantine",
  ])
    .description("A cluster engine for microVMs whose every decision runs through its own deterministic simulator.")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error:/, terminal.paintErr("red", "error:"))),
    });
  for (const register of groups) register(program, session);
  return program;
}

function explain(error: unknown, terminal: Terminal): ExitCode {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.holds : EXIT.usage;
  if (error instanceof UsageError || error instanceof FailureError) {
    terminal.err(`${terminal.paintErr("red", "error:")} ${error.message}`);
    terminal.err(`hint: ${error.hint}`);
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
  terminal.err(`${terminal.paintErr("red", "error:")} ${error instanceof Error ? error.stack : String(error)}`);
  terminal.err(
    "hint: this is a defect of blixard itself: report it with the lines above and the command that led here",
  );
  return EXIT.failed;
}
