/** Commands that ask for something and stay until it has happened: what goes on in the cluster goes on whether anybody waits or not. */
import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "commander";
import type { Session } from "../frame/index.ts";
import { type ClientOptions, withClientOptions } from "./client.ts";

const LOOK_MS = 200;

/** How a wait ended: with what was waited for; because the time was over, or somebody pressed Ctrl-C. */
export type Waited<Result> =
  | { readonly kind: "seen"; readonly result: Result }
  | { readonly kind: "timedOut" }
  | { readonly kind: "interrupted" };

/** Looks until there is something to see, the time is over, or the command is interrupted. */
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

/** A question while waiting need not wait longer than this: the next one is soon. */
export const QUESTION_MS = 10_000;

/** Tells how far it has come: at a terminal in one line that changes, elsewhere a line whenever it is another. */
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
  /** Unless false. */
  readonly wait?: boolean;
}

/** Of a command that waits for what it asked for. `until`: what it waits for; `limit`: for how long unless told. */
export function withWaitOptions(
  command: Command,
  until: string,
  limit: { readonly ms: number; readonly text: string } = { ms: 300_000, text: "5m" },
): Command {
  return withClientOptions(command, limit)
    .option("--wait", `return when ${until} (the default)`)
    .option("--no-wait", "return when it is committed");
}
