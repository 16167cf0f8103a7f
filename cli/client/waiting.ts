/** Commands that request a change and wait until it has happened. Ctrl-C ends the waiting, not the change. */
import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "commander";
import type { Session } from "../frame/index.ts";
import { type ClientOptions, withClientOptions } from "./client.ts";

const LOOK_MS = 200;

/** How a wait ended: with a result, by its time limit, or by Ctrl-C. */
export type Waited<Result> =
  | { readonly kind: "seen"; readonly result: Result }
  | { readonly kind: "timedOut" }
  | { readonly kind: "interrupted" };

/** Calls `look` again and again until it returns a result, the deadline has passed, or the command is interrupted. */
export async function untilSeen<Result>(
  look: () => Promise<Result | null>,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<Waited<Result>> {
  for (;;) {
    const result = await look();
    if (result !== null) return { kind: "seen", result };
    if (signal.aborted) return { kind: "interrupted" };
    if (performance.now() + LOOK_MS > deadlineMs) return { kind: "timedOut" };
    await delay(LOOK_MS, null, { signal }).catch(() => undefined);
    if (signal.aborted) return { kind: "interrupted" };
  }
}

/** The time limit of one request while waiting. The next request follows soon. */
export const QUESTION_MS = 10_000;

/** Shows progress: on a terminal in one line that is overwritten, elsewhere as a new line whenever the text changes. */
export function progressTo({ terminal }: Pick<Session, "terminal">): (line: string) => void {
  let last = "";
  return (line) => {
    if (line === last) return;
    last = line;
    if (terminal.showsProgress) terminal.progress(line);
    else terminal.err(line);
  };
}

export interface WaitOptions extends ClientOptions {
  /** False: do not wait. */
  readonly wait?: boolean;
}

/**
 * The options of a command that waits for what it requested.
 *
 * @param until what it waits for, for the help. @param limit the default of `--timeout`.
 */
export function withWaitOptions(
  command: Command,
  until: string,
  limit: { readonly ms: number; readonly text: string } = { ms: 300_000, text: "5m" },
): Command {
  return withClientOptions(command, limit)
    .option("--wait", `return when ${until} (the default)`)
    .option("--no-wait", "return when it is committed");
}
