import { createInterface, type Interface } from "node:readline/promises";
import { FailureError, UsageError } from "./index.ts";

/** Asks before something that cannot be undone. Without a terminal `--yes` must have been given. */
export async function confirm(
  question: string,
  { yes, json }: { readonly yes?: true; readonly json?: true },
): Promise<void> {
  if (yes === true) return;
  if (!process.stdin.isTTY || !process.stderr.isTTY || json === true)
    throw new UsageError("this cannot be undone, and nobody is there to be asked", "say --yes");
  if (!(await isAnsweredYes(question, createInterface({ input: process.stdin, output: process.stderr }))))
    throw new FailureError("nothing was changed", "answer y to go on");
}

/** Ctrl-C and Ctrl-D count as no. */
export async function isAnsweredYes(question: string, asked: Interface): Promise<boolean> {
  try {
    return /^y(es)?$/i.test((await asked.question(`${question} [y/N] `)).trim());
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") return false;
    throw error;
  } finally {
    asked.close();
  }
}
