/** A node's end of the connection to the supervisor of its machines, which it starts when there is none. */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connectIn } from "./connect-in.ts";
import type { RunPath } from "./files.ts";
import { eachLine } from "./lines.ts";
import { type News, newsSchema, type Order, SUPERVISOR_SOCKET } from "./supervisor-protocol.ts";

const PROGRAM = fileURLToPath(new URL("./supervisor.ts", import.meta.url));
const RETRY_MS = 20;
const START_LIMIT_MS = 20_000;
/** A supervisor that hangs does not make the node keep everything that is typed. */
const TYPED_BACKLOG_BYTES = 256 * 1024;

export interface SupervisorListener {
  told(news: News): void;
  /** The connection has ended: it has died, or had nothing to do any more. */
  gone(client: SupervisorClient): void;
}

export class SupervisorClient {
  readonly #socket: Socket;

  private constructor(socket: Socket, listener: SupervisorListener) {
    this.#socket = socket;
    socket.once("close", () => listener.gone(this));
    eachLine(socket, (line) => listener.told(newsSchema.parse(JSON.parse(line))));
  }

  /** Null: none runs for that directory. */
  static async find(folder: string, listener: SupervisorListener): Promise<SupervisorClient | null> {
    try {
      return new SupervisorClient(await connectIn(folder, SUPERVISOR_SOCKET), listener);
    } catch {
      return null;
    }
  }

  /** @throws Error when it does not come up. */
  static async findOrStart(folder: string, listener: SupervisorListener): Promise<SupervisorClient> {
    const found = await SupervisorClient.find(folder, listener);
    if (found !== null) return found;
    const errors = openSync(join(folder, "supervisor.log"), "a", 0o600);
    // Waits for the machines of one that has died: they hold its lock until the kernel has ended them.
    const child = spawn(
      "flock",
      ["--no-fork", "--wait", `${START_LIMIT_MS / 1000}`, "supervisor.lock", process.execPath, PROGRAM, folder],
      { cwd: folder, detached: true, stdio: ["ignore", errors, errors], env: { PATH: process.env["PATH"] } },
    );
    closeSync(errors);
    let end: string | null = null;
    child.once("error", (error) => {
      end = error.message;
    });
    child.once("exit", (code, signal) => {
      end = `it has ended with ${signal ?? `exit code ${code}`}; supervisor.log may say why`;
    });
    child.unref();
    const deadline = performance.now() + START_LIMIT_MS;
    while (end === null && performance.now() < deadline) {
      await delay(RETRY_MS);
      const started = await SupervisorClient.find(folder, listener);
      if (started !== null) return started;
    }
    throw new Error(`the supervisor of machines does not start: ${end ?? "it does not answer"}`);
  }

  order(order: Order): void {
    this.#socket.write(`${JSON.stringify(order)}\n`);
  }

  /** Types into the console of a run. While the supervisor is far behind, what is typed is lost. */
  type({ name, epoch }: RunPath, bytes: Uint8Array): void {
    if (this.#socket.writableLength > TYPED_BACKLOG_BYTES) return;
    this.order({ kind: "type", name, epoch, base64: Buffer.from(bytes).toString("base64") });
  }

  close(): void {
    this.#socket.end();
  }
}
