/** HTTP requests to the nodes that a client may ask: to one of them at a time, until that one fails. */
import { Agent, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { apiErrorOf } from "./api-error-of.ts";
import { ConnectError, connectErrorOf } from "./connect-error.ts";

export type ApiTarget =
  /** The socket in a node's data directory. */
  | { readonly socketPath: string }
  /** host:port, with a token for the API. */
  | { readonly address: string; readonly token: string | null };

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

  /** The answer of the current target, as soon as its head is there. @throws ConnectError */
  open(
    method: "GET" | "POST",
    path: string,
    body: string,
    signal: AbortSignal,
    timeoutMs: number,
  ): Promise<IncomingMessage> {
    const target = this.#targets[this.#at % this.#targets.length] ?? this.#targets[0];
    const name = nameOf(target);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const fail = (error: unknown): void => reject(connectErrorOf(error, name, signal, timeoutMs));
    try {
      const headers: Record<string, string> =
        method === "POST"
          ? { "content-type": "application/json", "content-length": `${Buffer.byteLength(body)}` }
          : { accept: "text/event-stream" };
      if ("token" in target && target.token !== null) headers["authorization"] = `Bearer ${target.token}`;
      const sent = httpRequest({ ...whereOf(target), agent: this.#agent, method, path, headers, signal }, resolve);
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

function nameOf(target: ApiTarget): string {
  return "socketPath" in target ? target.socketPath : target.address;
}
