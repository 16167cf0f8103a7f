/** A node's end of the connection to the supervisor of its machines, which it starts when there is none. */
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { connectIn } from "./connect-in.ts";
import type { RunPath } from "./files.ts";
import { eachLine } from "./lines.ts";
import { type News, newsSchema, type Order, SUPERVISOR_SOCKET } from "./supervisor-protocol.ts";
import { START_LIMIT_MS, type Start } from "./supervisor-start.ts";

const RETRY_MS = 20;
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
  static async findOrStart(folder: string, listener: SupervisorListener, start: Start): Promise<SupervisorClient> {
    const found = await SupervisorClient.find(folder, listener);
    if (found !== null) return found;
    const problem = await start();
    const deadline = performance.now() + START_LIMIT_MS;
    while (problem() === null && performance.now() < deadline) {
      await delay(RETRY_MS);
      const started = await SupervisorClient.find(folder, listener);
      if (started !== null) return started;
    }
    throw new Error(`the supervisor of machines does not start: ${problem() ?? "it does not answer"}`);
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
