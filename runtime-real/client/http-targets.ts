/** HTTP requests to the nodes that a client may ask: to one of them at a time, until that one fails. */
import { Agent, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import type { Socket } from "node:net";
import { apiErrorOf } from "./api-error-of.ts";
import { ConnectError, connectErrorOf } from "./connect-error.ts";

export type ApiTarget =
  /** The socket in a node's data directory. */
  | { readonly socketPath: string }
  /** host:port, with a token for the API. */
  | { readonly address: string; readonly token: string | null };

export interface Upgraded {
  readonly socket: Socket;
  readonly target: string;
}

const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

export class HttpTargets {
  readonly #targets: readonly [ApiTarget, ...ApiTarget[]];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1024 });
  #at = 0;

  constructor(targets: readonly [ApiTarget, ...ApiTarget[]]) {
    this.#targets = targets;
  }

  get count(): number {
    return this.#targets.length;
  }

  /** Asks the next target from now on. */
  skip(): void {
    this.#at++;
  }

  close(): void {
    this.#agent.destroy();
  }

  /** The body of the answer. A target where nothing listens is skipped. @throws ApiError, ConnectError */
  async post(name: string, body: string, timeoutMs: number, signal: AbortSignal | undefined): Promise<string> {
    const limit = AbortSignal.timeout(Math.ceil(timeoutMs));
    const either = signal === undefined ? limit : AbortSignal.any([limit, signal]);
    for (let tried = 1; ; tried++) {
      try {
        const response = await this.open("POST", `/v1/${name}`, body, either, timeoutMs);
        const text = await this.#textOf(response);
        if (response.statusCode === 200) return text;
        throw apiErrorOf(text, response);
      } catch (error) {
        // Nothing listens there, so nothing has happened, and the next one may be asked.
        const isDead = error instanceof ConnectError && error.kind === "noNode";
        if (!isDead || tried >= this.count) throw error;
        this.skip();
      }
    }
  }

  /**
   * A connection on which the node speaks `protocol` from now on. A target where nothing listens is skipped.
   *
   * @throws ApiError, ConnectError
   */
  async upgrade(path: string, protocol: string, timeoutMs: number, signal?: AbortSignal): Promise<Upgraded> {
    for (let tried = 1; ; tried++) {
      try {
        return await this.#upgrade(path, protocol, timeoutMs, signal);
      } catch (error) {
        const isDead = error instanceof ConnectError && error.kind === "noNode";
        if (!isDead || tried >= this.count) throw error;
        this.skip();
      }
    }
  }

  async #upgrade(path: string, protocol: string, timeoutMs: number, aborted?: AbortSignal): Promise<Upgraded> {
    const target = this.#target;
    const limit = AbortSignal.timeout(Math.ceil(timeoutMs));
    const signal = aborted === undefined ? limit : AbortSignal.any([limit, aborted]);
    const { promise, resolve, reject } = Promise.withResolvers<Upgraded>();
    const fail = (error: unknown): void => reject(connectErrorOf(error, nameOf(target), signal, timeoutMs));
    const headers = { connection: "Upgrade", upgrade: protocol, ...authorizationOf(target) };
    const sent = httpRequest({ ...whereOf(target), path, headers, agent: false });
    const giveUp = (): void => void sent.destroy(new Error("given up"));
    signal.addEventListener("abort", giveUp);
    sent.once("error", fail);
    sent.once("upgrade", (_, socket, head) => {
      signal.removeEventListener("abort", giveUp);
      // Frames may have come with the answer.
      if (head.length > 0) socket.unshift(head);
      resolve({ socket, target: nameOf(target) });
    });
    sent.once("response", (response) => {
      this.#textOf(response).then((text) => reject(apiErrorOf(text, response)), reject);
    });
    sent.end();
    return await promise;
  }

  get #target(): ApiTarget {
    return this.#targets[this.#at % this.#targets.length] ?? this.#targets[0];
  }

  /** The answer of the current target, as soon as its head is there. @throws ConnectError */
  open(
    method: "GET" | "POST",
    path: string,
    body: string,
    signal: AbortSignal,
    timeoutMs: number,
  ): Promise<IncomingMessage> {
    const target = this.#target;
    const name = nameOf(target);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const fail = (error: unknown): void => reject(connectErrorOf(error, name, signal, timeoutMs));
    try {
      const headers: Record<string, string> =
        method === "POST"
          ? { "content-type": "application/json", "content-length": `${Buffer.byteLength(body)}` }
          : { accept: "text/event-stream" };
      const all = { ...headers, ...authorizationOf(target) };
      const sent = httpRequest({ ...whereOf(target), agent: this.#agent, method, path, headers: all, signal }, resolve);
      sent.once("error", fail);
      sent.end(body);
    } catch (error) {
      fail(error);
    }
    return promise;
  }

  async #textOf(response: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of response) {
        const bytes: Buffer = Buffer.from(chunk);
        size += bytes.length;
        if (size > ANSWER_BYTES_MAX) throw new Error("the answer is too long");
        chunks.push(bytes);
      }
    } catch (error) {
      throw new ConnectError(
        "lost",
        "",
        `the connection ended in the middle of an answer: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    return Buffer.concat(chunks).toString("utf8");
  }
}

function whereOf(target: ApiTarget): RequestOptions {
  if ("socketPath" in target) return { socketPath: target.socketPath };
  const { hostname, port } = new URL(`http://${target.address}`);
  return { host: hostname.replace(/^\[|\]$/g, ""), port };
}

function authorizationOf(target: ApiTarget): Readonly<Record<string, string>> {
  return "token" in target && target.token !== null ? { authorization: `Bearer ${target.token}` } : {};
}

function nameOf(target: ApiTarget): string {
  return "socketPath" in target ? target.socketPath : target.address;
}
