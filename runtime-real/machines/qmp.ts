/**
 * A connection to the monitor of a QEMU process (QMP, https://www.qemu.org/docs/master/interop/qmp-spec.html). The
 * monitor serves one connection at a time, and its socket exists a moment before it accepts any.
 */
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { connectIn } from "./connect-in.ts";
import { eachLine } from "./lines.ts";

const RETRY_MS = 20;

export class QmpError extends Error {
  override readonly name = "QmpError";
}

const messageSchema = z.union([
  z.object({ return: z.unknown(), id: z.int() }),
  z.object({ error: z.object({ desc: z.string() }), id: z.int().optional() }),
  z.object({ event: z.string(), data: z.record(z.string(), z.unknown()).default({}) }),
  z.object({ QMP: z.unknown() }),
]);

interface Pending {
  resolve(result: unknown): void;
  reject(error: QmpError): void;
}

export class Qmp {
  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending>();
  readonly #onEvent: (name: string) => void;
  #nextId = 1;
  #isClosed = false;

  private constructor(socket: Socket, onEvent: (name: string) => void) {
    this.#socket = socket;
    this.#onEvent = onEvent;
    socket.once("close", () => this.#closed());
    eachLine(socket, (line) => this.#received(line));
  }

  /**
   * Connects to the socket `name` in `folder`, and resolves when the monitor takes commands.
   *
   * @param signal ends the attempt.
   * @throws QmpError when there is no such monitor before the signal.
   */
  static async open(folder: string, name: string, onEvent: (name: string) => void, signal: AbortSignal): Promise<Qmp> {
    while (true) {
      if (signal.aborted) throw new QmpError("its monitor does not answer");
      let socket: Socket;
      try {
        socket = await connectIn(folder, name);
      } catch {
        await delay(RETRY_MS, null, { signal }).catch(() => null);
        continue;
      }
      const qmp = new Qmp(socket, onEvent);
      try {
        await qmp.execute("qmp_capabilities", signal);
        return qmp;
      } catch (error) {
        qmp.close();
        throw error;
      }
    }
  }

  /**
   * Resolves to what the command returns.
   *
   * @throws QmpError when the monitor refuses it, does not answer before the signal, or is gone.
   */
  async execute(command: string, signal: AbortSignal): Promise<unknown> {
    if (this.#isClosed) throw new QmpError(`${command}: the monitor is gone`);
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.set(id, { resolve, reject });
    const ended = (): void => reject(new QmpError(`${command}: the monitor did not answer in time`));
    if (signal.aborted) ended();
    signal.addEventListener("abort", ended, { once: true });
    this.#socket.write(`${JSON.stringify({ execute: command, id })}\n`);
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", ended);
      this.#pending.delete(id);
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #received(line: string): void {
    const message = parsed(line);
    if (message === null || "QMP" in message) return;
    if ("event" in message) {
      this.#onEvent(message.event);
      return;
    }
    const pending = message.id === undefined ? undefined : this.#pending.get(message.id);
    if ("error" in message) pending?.reject(new QmpError(message.error.desc));
    else pending?.resolve(message.return);
  }

  #closed(): void {
    this.#isClosed = true;
    for (const { reject } of this.#pending.values()) reject(new QmpError("the monitor is gone"));
  }
}

function parsed(line: string): z.infer<typeof messageSchema> | null {
  try {
    return messageSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}
