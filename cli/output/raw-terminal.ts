/** The terminal of this process in raw mode: every key goes to the program, and every byte to the screen. */
import type { ReadStream, WriteStream } from "node:tty";

/**
 * Ends what a program on the other side may have left behind: alternate screen, mouse and focus reports, bracketed
 * paste, hidden cursor, colours, other character sets. The last part begins a new line.
 */
const RESTORE = [
  "\u001b[!p",
  "\u001b[?1047l",
  "\u001b[?1000l\u001b[?1002l\u001b[?1003l\u001b[?1004l\u001b[?1006l",
  "\u001b[?2004l",
  "\u001b[?25h",
  "\u001b[0m\u001b(B\u000f",
  "\r\n",
].join("");

export interface RawStreams {
  readonly input: NodeJS.ReadStream & Partial<Pick<ReadStream, "setRawMode">>;
  readonly output: Pick<WriteStream, "isTTY" | "write">;
}

/**
 * Enters raw mode, where the streams are a terminal. Returns what leaves it. It is left at the end of this process too,
 * whatever ends it, but for SIGKILL.
 */
export function enterRawMode({ input, output }: RawStreams): () => void {
  if (input.isTTY !== true) return () => undefined;
  const enter = (): void => void input.setRawMode?.(true);
  let isRaw = true;
  const leave = (): void => {
    if (!isRaw) return;
    isRaw = false;
    input.setRawMode?.(false);
    if (output.isTTY === true) output.write(RESTORE);
    process.off("exit", leave);
    process.off("SIGHUP", hangUp);
    process.off("SIGCONT", enter);
  };
  // Without a listener it would end the process without its `exit` event. 128 + 1, as shells count it.
  const hangUp = (): void => process.exit(129);
  process.on("exit", leave);
  process.on("SIGHUP", hangUp);
  // The shell has changed the mode while the process was stopped.
  process.on("SIGCONT", enter);
  enter();
  return leave;
}
