/** SIGINT (Ctrl-C) and SIGTERM: the first asks a command to stop and to report what it has done, the second ends it. */
import { EXIT, type ExitCode } from "./outcome.ts";

export interface Interrupt {
  /** Aborted when the command should stop. */
  readonly signal: AbortSignal;
  /** The exit code of a command that stopped for it. */
  readonly exitCode: ExitCode;
}

export function watchInterrupt(): Interrupt {
  const controller = new AbortController();
  let exitCode: ExitCode = EXIT.interrupted;
  const stop = (code: ExitCode): void => {
    if (controller.signal.aborted) process.exit(code);
    exitCode = code;
    controller.abort();
  };
  process.on("SIGINT", () => stop(EXIT.interrupted));
  process.on("SIGTERM", () => stop(EXIT.terminated));
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
  };
}
