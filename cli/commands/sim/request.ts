/** The request for a run, in plain values that pass between threads, and the command line that repeats it. */
import { durationArgument } from "../../output/index.ts";

export interface RunRequest {
  readonly scenario: string;
  readonly seed: number;
  /** Null: the scenario's own. */
  readonly nodes: number | null;
  /** Virtual time; null: the scenario's own. */
  readonly durationMs: number | null;
  /** The file whose fault schedule replaces the drawn one. */
  readonly faultsPath: string | null;
}

/** The command that repeats exactly this run, to be pasted into a shell in the checkout. */
export function replayCommand({ scenario, seed, nodes, durationMs, faultsPath }: RunRequest): string {
  const words = ["npm run sim --", `--seed ${seed}`];
  if (nodes !== null) words.push(`--nodes ${nodes}`);
  if (durationMs !== null) words.push(`--duration ${durationArgument(durationMs)}`);
  if (faultsPath !== null) words.push(`--faults ${shellWord(faultsPath)}`);
  words.push(scenario);
  return words.join(" ");
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
