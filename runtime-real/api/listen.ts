/** Listening for the API: on a Unix socket that only its owner may open, and on a TCP address. */
import { chmodSync, mkdirSync, renameSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { parseAddress } from "../network/index.ts";

/** The address of the API is in use, or the socket cannot be made. */
export class ApiListenError extends Error {
  override readonly name = "ApiListenError";
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/**
 * The socket is made in a directory that nobody else can enter, gets its mode there, and is then moved. So there is no
 * moment at which another user could connect.
 */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  if (await answers(path))
    throw new ApiListenError(
      `${path} is another process's`,
      "a node runs on this data directory already: stop it first",
    );
  const folder = join(dirname(path), `.api-${process.pid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const socket = join(folder, "s");
  try {
    rmSync(socket, { force: true });
    await listening(server, () => server.listen(socket));
    chmodSync(socket, 0o600);
    renameSync(socket, path);
  } catch (error) {
    throw new ApiListenError(
      `cannot make the socket ${path}: ${error instanceof Error ? error.message : String(error)}`,
      "a path to a socket has 107 characters at most; check the directory's permissions too",
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

export async function listenOnTcp(server: Server, bind: string): Promise<string> {
  const address = parseAddress(bind);
  if (address === null) throw new ApiListenError(`${bind} is no address`, "give host:port, such as 127.0.0.1:7100");
  try {
    await listening(server, () => server.listen(address.port, address.host));
  } catch (error) {
    throw new ApiListenError(
      `cannot listen on ${bind}: ${error instanceof Error ? error.message : String(error)}`,
      "is another process listening there? --api-bind takes another address",
    );
  }
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : address.port;
  return address.host.includes(":") ? `[${address.host}]:${port}` : `${address.host}:${port}`;
}

function listening(server: Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      resolve();
    });
    listen();
  });
}
