/**
 * A client of the API. Reads and single calls go as they are; `write` goes through a client session, so that a retry after a lost answer never happens twice
 * (thesis 6.3), whichever node it reaches.
 */
import { randomUUID } from "node:crypto";
import { Agent, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { AnswerOf, ProcedureName, RequestOf } from "../api/index.ts";
import { API_ERRORS, ApiError, type ApiErrorCode } from "../errors/index.ts";

export type ApiTarget =
  /** The socket in a node's data directory. */
  | { readonly socketPath: string }
  /** host:port, with a token for the API. */
  | { readonly address: string; readonly token: string | null };

export interface CallOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Writes that a session can make exactly once. */
export type WriteName = {
  readonly [Name in ProcedureName]: "session" extends keyof RequestOf<Name>
    ? undefined extends RequestOf<Name>["session" & keyof RequestOf<Name>]
      ? Name
      : never
    : never;
}[ProcedureName];

/** Procedures that change nothing. */
export type ReadName = Extract<
  ProcedureName,
  "cluster.status" | `${string}.${"members" | "list" | "show" | "get" | "plan" | "explain"}`
>;

export interface ApiClient {
  /** Once: when no answer comes, it may have happened. @throws ApiError, ConnectError */
  call<Name extends ProcedureName>(
    name: Name,
    request: RequestOf<Name>,
    options?: CallOptions,
  ): Promise<AnswerOf<Name>>;
  /** What changes nothing: tried again until it is answered or the time is over. @throws ApiError, ConnectError */
  read<Name extends ReadName>(name: Name, request: RequestOf<Name>, options?: CallOptions): Promise<AnswerOf<Name>>;
  /** Exactly once, tried again until it is answered or the time is over. @throws ApiError, ConnectError */
  write<Name extends WriteName>(name: Name, request: RequestOf<Name>, options?: CallOptions): Promise<AnswerOf<Name>>;
  /** Events after a log index, for ever; goes on by itself after a lost connection. */
  events(options: {
    readonly afterIndex: number;
    readonly signal: AbortSignal;
  }): AsyncGenerator<StreamedEvent, void, undefined>;
  /** Ends the session, if one was opened, and all connections. */
  close(): Promise<void>;
}

/** An event as it is streamed; `gap`: events after the index that was asked for have been dropped. */
export type StreamedEvent =
  | { readonly kind: "event"; readonly event: AnswerOf<"events.list">["events"][number] }
  | { readonly kind: "gap"; readonly oldestIndex: number };

/** No node could be asked. */
export class ConnectError extends Error {
  override readonly name = "ConnectError";
  /** noNode: nothing listens there. lost: the connection ended without an answer. timedOut: no answer in time. */
  readonly kind: "noNode" | "lost" | "timedOut";
  readonly target: string;

  constructor(kind: ConnectError["kind"], target: string, message: string) {
    super(message);
    this.kind = kind;
    this.target = target;
  }
}

const DEFAULT_TIMEOUT_MS = 10_000;
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const RETRY_MIN_MS = 20;
const RETRY_MAX_MS = 500;
const OUTSTANDING_MAX = 64;

/** A client of one node, or of several that are tried in turn when one cannot be reached. */
export function connectApi(targets: ApiTarget | readonly [ApiTarget, ...ApiTarget[]]): ApiClient {
  return new Client("length" in targets ? targets : [targets]);
}

interface Session {
  readonly id: number;
  nextSequence: number;
  readonly outstanding: Set<number>;
}

class Client implements ApiClient {
  readonly #targets: readonly [ApiTarget, ...ApiTarget[]];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1024 });
  #at = 0;
  #session: Promise<Session> | null = null;

  constructor(targets: readonly [ApiTarget, ...ApiTarget[]]) {
    this.#targets = targets;
  }

  async call<Name extends ProcedureName>(
    name: Name,
    request: RequestOf<Name>,
    options: CallOptions = {},
  ): Promise<AnswerOf<Name>> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
    const answer = await this.#post(name, JSON.stringify(request), timeoutMs, signal);
    // What the node answers has the schema of its procedure: it is made from it.
    const typed: AnswerOf<Name> = JSON.parse(answer);
    return typed;
  }

  async read<Name extends ReadName>(
    name: Name,
    request: RequestOf<Name>,
    options: CallOptions = {},
  ): Promise<AnswerOf<Name>> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
    const deadlineMs = performance.now() + timeoutMs;
    const body = JSON.stringify(request);
    return await this.#untilAnswered(deadlineMs, signal, () =>
      this.#post(name, body, Math.max(1, deadlineMs - performance.now()), signal),
    );
  }

  async write<Name extends WriteName>(
    name: Name,
    request: RequestOf<Name>,
    options: CallOptions = {},
  ): Promise<AnswerOf<Name>> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
    const deadlineMs = performance.now() + timeoutMs;
    this.#session ??= this.#openSession(deadlineMs, signal);
    let session: Session;
    try {
      session = await this.#session;
    } catch (error) {
      this.#session = null;
      throw error;
    }
    if (session.nextSequence - Math.min(session.nextSequence, ...session.outstanding) >= OUTSTANDING_MAX)
      throw new RangeError(`${OUTSTANDING_MAX} writes were made since one that is not answered yet: wait for it`);
    const sequence = session.nextSequence++;
    session.outstanding.add(sequence);
    try {
      return await this.#untilAnswered(deadlineMs, signal, () => {
        const lowestUnacknowledged = Math.min(...session.outstanding);
        return this.#post(
          name,
          JSON.stringify({ ...request, session: { id: session.id, sequence, lowestUnacknowledged } }),
          Math.max(1, deadlineMs - performance.now()),
          signal,
        );
      });
    } catch (error) {
      // It gave way to others: the next write begins with a new one. What became of this one is for the caller to find out.
      if (error instanceof ApiError && error.code === "sessionExpired") this.#session = null;
      throw error;
    } finally {
      session.outstanding.delete(sequence);
    }
  }

  async #openSession(deadlineMs: number, signal: AbortSignal | undefined): Promise<Session> {
    const body = JSON.stringify({ clientToken: randomUUID() });
    const { sessionId } = await this.#untilAnswered<AnswerOf<"session.open">>(deadlineMs, signal, () =>
      this.#post("session.open", body, Math.max(1, deadlineMs - performance.now()), signal),
    );
    return { id: sessionId, nextSequence: 1, outstanding: new Set() };
  }

  async #untilAnswered<Answer>(
    deadlineMs: number,
    signal: AbortSignal | undefined,
    attempt: () => Promise<string>,
  ): Promise<Answer> {
    // Where nobody has ever answered, nobody is waited for.
    for (let waitMs = RETRY_MIN_MS, isFirst = true; ; waitMs = Math.min(RETRY_MAX_MS, waitMs * 2), isFirst = false) {
      try {
        const answer: Answer = JSON.parse(await attempt());
        return answer;
      } catch (error) {
        const pauseMs = waitMs * (0.5 + Math.random() / 2);
        const isNobodyThere = error instanceof ConnectError && error.kind === "noNode" && isFirst;
        if (
          !mayBeRetried(error) ||
          isNobodyThere ||
          performance.now() + pauseMs >= deadlineMs ||
          signal?.aborted === true
        )
          throw error;
        this.#at++;
        await delay(pauseMs, null, signal === undefined ? {} : { signal });
      }
    }
  }

  async *events({
    afterIndex,
    signal,
  }: {
    readonly afterIndex: number;
    readonly signal: AbortSignal;
  }): AsyncGenerator<StreamedEvent, void, undefined> {
    let last = afterIndex;
    let hasAnswered = false;
    for (let waitMs = RETRY_MIN_MS; !signal.aborted; ) {
      try {
        const response = await this.#open("GET", `/v1/events?after=${last}`, "", signal, 0);
        waitMs = RETRY_MIN_MS;
        hasAnswered = true;
        for await (const block of eventBlocks(response)) {
          const parsed: StreamedEvent = JSON.parse(block);
          if (parsed.kind === "event") last = parsed.event.index;
          yield parsed;
        }
      } catch (error) {
        if (signal.aborted) return;
        const isNobodyThere =
          error instanceof ConnectError && error.kind === "noNode" && !hasAnswered && this.#targets.length === 1;
        if (!mayBeRetried(error) || isNobodyThere) throw error;
        this.#at++;
      }
      if (signal.aborted) return;
      await delay(waitMs, null, { signal }).catch(() => undefined);
      waitMs = Math.min(RETRY_MAX_MS, waitMs * 2);
    }
  }

  async close(): Promise<void> {
    const session = await this.#session?.catch(() => null);
    this.#session = null;
    if (session != null) {
      const sequence = session.nextSequence;
      const body = { session: { id: session.id, sequence, lowestUnacknowledged: sequence } };
      // Best effort: one that is left open gives way to others in time.
      await this.#post("session.close", JSON.stringify(body), 1000, undefined).catch(() => undefined);
    }
    this.#agent.destroy();
  }

  async #post(name: string, body: string, timeoutMs: number, signal: AbortSignal | undefined): Promise<string> {
    const limit = AbortSignal.timeout(Math.ceil(timeoutMs));
    const either = signal === undefined ? limit : AbortSignal.any([limit, signal]);
    for (let tried = 1; ; tried++) {
      try {
        const response = await this.#open("POST", `/v1/${name}`, body, either, timeoutMs);
        const text = await this.#textOf(response);
        if (response.statusCode === 200) return text;
        throw apiErrorOf(text, response);
      } catch (error) {
        // Nothing listens there, so nothing has happened: the next one may be asked.
        const isDead = error instanceof ConnectError && error.kind === "noNode";
        if (!isDead || tried >= this.#targets.length) throw error;
        this.#at++;
      }
    }
  }

  #open(
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

function connectErrorOf(error: unknown, target: string, signal: AbortSignal, timeoutMs: number): unknown {
  if (signal.aborted) {
    const reason: unknown = signal.reason;
    const isTimeout = reason instanceof DOMException && reason.name === "TimeoutError";
    if (isTimeout)
      return new ConnectError("timedOut", target, `no answer from ${target} within ${Math.round(timeoutMs)} ms`);
    return reason;
  }
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (["ENOENT", "ECONNREFUSED", "ENOTDIR", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "ENOTSOCK"].includes(code))
    return new ConnectError("noNode", target, `no node answers at ${target} (${code})`);
  if (code === "EACCES" || code === "EPERM")
    return new ConnectError("noNode", target, `${target} may not be opened by this user (${code})`);
  return new ConnectError(
    "lost",
    target,
    `the connection to ${target} was lost: ${error instanceof Error ? error.message : String(error)}`,
  );
}

function mayBeRetried(error: unknown): boolean {
  if (error instanceof ConnectError) return true;
  if (!(error instanceof ApiError)) return false;
  switch (error.code) {
    case "noLeader":
    case "quorumLost":
    case "outcomeUnknown":
    case "readTimedOut":
    case "tooManyPending":
    case "tooManyUncommitted":
    case "stopping":
    case "halted":
      return true;
    default:
      return false;
  }
}

function apiErrorOf(text: string, response: IncomingMessage): ApiError {
  const requestId = response.headers["x-request-id"];
  const id = typeof requestId === "string" ? requestId : null;
  try {
    const body: unknown = JSON.parse(text);
    if (
      typeof body === "object" &&
      body !== null &&
      "error" in body &&
      typeof body.error === "object" &&
      body.error !== null
    ) {
      const fields = new Map<string, unknown>(Object.entries(body.error));
      const code = String(fields.get("code"));
      const details = fields.get("details");
      if (isErrorCode(code))
        return new ApiError(
          code,
          String(fields.get("message")),
          String(fields.get("hint")),
          typeof details === "object" && details !== null ? { ...details } : {},
          id,
        );
    }
  } catch {
    // Said below.
  }
  return new ApiError(
    "internal",
    `an answer that is none of blixard's (HTTP ${response.statusCode})`,
    "does a blixard node listen there?",
    {},
    id,
  );
}

function isErrorCode(code: string): code is ApiErrorCode {
  return Object.hasOwn(API_ERRORS, code);
}

/** The data of each event of a stream (server-sent events). */
async function* eventBlocks(response: IncomingMessage): AsyncGenerator<string, void, undefined> {
  if (response.statusCode !== 200) {
    let text = "";
    for await (const chunk of response) text += String(chunk);
    throw apiErrorOf(text, response);
  }
  response.setEncoding("utf8");
  let rest = "";
  for await (const chunk of response) {
    rest += String(chunk);
    for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
      const data = rest
        .slice(0, end)
        .split("\n")
        .find((line) => line.startsWith("data: "));
      rest = rest.slice(end + 2);
      if (data !== undefined) yield data.slice("data: ".length);
    }
  }
}
