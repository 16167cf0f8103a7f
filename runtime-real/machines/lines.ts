import { createInterface } from "node:readline";

/** Calls `take` for each line that comes. Errors of the stream are left to its `close`. */
export function eachLine(stream: NodeJS.ReadableStream, take: (line: string) => void): void {
  // The interface repeats the errors of its input.
  stream.on("error", () => undefined);
  createInterface({ input: stream })
    .on("error", () => undefined)
    .on("line", take);
}
