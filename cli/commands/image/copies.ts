/** What makes an image on this host waits until another worker has it too: then the VMs that boot it outlive a host. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { dataDirOption, progressTo, QUESTION_MS, untilSeen, withNode } from "../../client/index.ts";
import { FailureError, parseDurationMs, type Session } from "../../frame/index.ts";
import { plural } from "../../output/index.ts";

export interface CopyFlags {
  readonly dataDir: string;
  readonly json?: true;
  /** False: do not wait. */
  readonly wait: boolean;
  readonly timeout: number;
}

const LIMIT = { ms: 1_800_000, text: "30m" } as const;

export function withCopyOptions(command: Command): Command {
  return command
    .addOption(dataDirOption())
    .option("--no-wait", "return when this host has it, and not when another worker has it too")
    .addOption(
      new Option("--timeout <time>", "give up to wait after this long")
        .argParser(parseDurationMs)
        .default(LIMIT.ms, LIMIT.text),
    )
    .option("--json", "print JSON, and nothing else");
}

/** Prints what was made, and waits until two workers have it, or the only one. @throws FailureError */
export async function madeHere(name: string, digest: string, flags: CopyFlags, session: Session): Promise<void> {
  const { dataDir, json, wait } = flags;
  const { terminal } = session;
  terminal.out(json === true ? JSON.stringify({ name, digest }) : `${name} ${digest}`);
  if (!wait) return;
  if (existsSync(join(dataDir, "api.sock"))) await untilCopied(name, digest, flags, session);
  else terminal.err(`no member of a cluster runs in ${dataDir}: no other worker was asked to have a copy`);
}

async function untilCopied(name: string, digest: string, flags: CopyFlags, session: Session): Promise<void> {
  const { timeout, json } = flags;
  const { terminal } = session;
  const progress = progressTo(session);
  const interrupt = session.watchInterrupt();
  try {
    const ended = await withNode(flags, (api) =>
      untilSeen(
        async () => {
          const report = await api.call("image.copy", { digest }, { timeoutMs: Math.min(timeout, QUESTION_MS) });
          if (report.progress === "") return report;
          progress(`another worker: ${report.progress} ...`);
          return null;
        },
        performance.now() + timeout,
        interrupt.signal,
      ),
    );
    terminal.progress("");
    if (ended.kind === "timedOut") throw new FailureError("no other worker has it yet", "--timeout waits longer");
    if (ended.kind === "interrupted") {
      terminal.err(`${name} is on this host; another worker goes on to fetch it`);
      session.end(interrupt.exitCode);
    } else if (json !== true && ended.result.copies > 1)
      terminal.out(`${name} is on ${plural(ended.result.copies, "worker")}`);
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    throw new FailureError(`${name} is on this host, and maybe on no other: ${error.message}`, error.hint);
  }
}
