/**
 * Connects to a Unix socket by its directory. The path of a socket has 107 bytes at most; that of a directory need not
 * be so short, so the connection goes through a descriptor of the directory.
 */
import { closeSync, openSync } from "node:fs";
import { connect, type Socket } from "node:net";

/** @throws Error when there is no such socket, or nobody listens. */
export async function connectIn(folder: string, name: string): Promise<Socket> {
  const directory = openSync(folder, "r");
  try {
    const socket = connect(`/proc/self/fd/${directory}/${name}`);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return socket;
  } finally {
    closeSync(directory);
  }
}
