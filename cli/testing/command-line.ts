/** Runs command lines in this process, with a terminal that records and an interrupt that the test triggers. */
import { EXIT, type ExitCode } from "../frame/index.ts";
import { plain, type Terminal } from "../output/index.ts";
import { execute } from "../program.ts";

export interface Heard {
  readonly code: ExitCode;
  /** Without the last line feed. */
  readonly out: string;
  readonly err: string;
}

export function listening(): { readonly terminal: Terminal; readonly out: string[]; readonly err: string[] } {
  const out: string[] = [];
  const err: string[] = [];
  const terminal: Terminal = {
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
    paintOut: plain,
    paintErr: plain,
    progress() {},
    showsProgress: false,
    columns: Number.POSITIVE_INFINITY,
  };
  return { terminal, out, err };
}

/** Runs one command line in this process. `signal` interrupts it as Ctrl-C would. */
export async function blixard(args: readonly string[], signal = new AbortController().signal): Promise<Heard> {
  const { terminal, out, err } = listening();
  const code = await execute(args, terminal, () => ({ signal, exitCode: EXIT.interrupted }));
  return { code, out: out.join("\n"), err: err.join("\n") };
}
