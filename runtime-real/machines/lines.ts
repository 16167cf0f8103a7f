import type { Socket } from "node:net";
import { createInterface } from "node:readline";

/** Calls `take` for each line that comes. Errors of the socket are left to its `close`. */
export function eachLine(socket: Socket, take: (line: string) => void): void {
  // The interface repeats the errors of its input.
  socket.on("error", () => undefined);
  createInterface({ input: socket })
    .on("error", () => undefined)
    .on("line", take);
}
