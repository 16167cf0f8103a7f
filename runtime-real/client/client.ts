/**
 * A client of the API. Single calls and reads go as they are. Writes go through a client session, so that a write
 * that is tried again after a lost answer happens once only, whichever node it reaches (Ongaro's thesis, section
 * 6.3).
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { AnswerOf, ProcedureName, RequestOf } from "../api/index.ts";
import { CONSOLE_UPGRADE, type ConsoleView } from "../console-protocol/index.ts";
import { ApiError } from "../errors/index.ts";
import { ConnectError } from "./connect-error.ts";
import { ConsoleStream } from "./console-stream.ts";
import { eventBlocks } from "./event-blocks.ts";
import { type ApiTarget, HttpTargets } from "./http-targets.ts";

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
  /** Asks once. If no answer comes, it may have happened. @throws ApiError, ConnectError */
  call<Name extends ProcedureName>(
    name: Name,
    request: RequestOf<Name>,
    options?: CallOptions,
  ): Promise<AnswerOf<Name>>;
  /** For what changes nothing. Tries again until it is answered or the time is over. @throws ApiError, ConnectError */
  read<Name extends ReadName>(name: Name, request: RequestOf<Name>, options?: CallOptions): Promise<AnswerOf<Name>>;
  /** Happens exactly once. Tries again until it is answered or the time is over. @throws ApiError, ConnectError */
  write<Name extends WriteName>(name: Name, request: RequestOf<Name>, options?: CallOptions): Promise<AnswerOf<Name>>;
  /** Events after a log index, for ever. Connects again by itself after a lost connection. */
  events(options: {
    readonly afterIndex: number;
    readonly signal: AbortSignal;
  }): AsyncGenerator<StreamedEvent, void, undefined>;
  /** The console of a VM, or what it has written. @throws ApiError, ConnectError */
  console(name: string, view: ConsoleView, options?: CallOptions): Promise<ConsoleStream>;
  /** Ends the session, if one was opened, and all connections, but those of consoles. */
  close(): Promise<void>;
}

/** An event as it is streamed; `gap`: events after the index that was asked for have been dropped. */
export type StreamedEvent =
  | { readonly kind: "event"; readonly event: AnswerOf<"events.list">["events"][number] }
  | { readonly kind: "gap"; readonly oldestIndex: number };

const DEFAULT_TIMEOUT_MS = 10_000;
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
  readonly #http: HttpTargets;
  #session: Promise<Session> | null = null;

  constructor(targets: readonly [ApiTarget, ...ApiTarget[]]) {
    this.#http = new HttpTargets(targets);
  }

  async call<Name extends ProcedureName>(
    name: Name,
    request: RequestOf<Name>,
    options: CallOptions = {},
  ): Promise<AnswerOf<Name>> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
    const answer = await this.#http.post(name, JSON.stringify(request), timeoutMs, signal);
    // The node has made the answer by the schema of the procedure.
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
      this.#http.post(name, body, Math.max(1, deadlineMs - performance.now()), signal),
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
        return this.#http.post(
          name,
          JSON.stringify({ ...request, session: { id: session.id, sequence, lowestUnacknowledged } }),
          Math.max(1, deadlineMs - performance.now()),
          signal,
        );
      });
    } catch (error) {
      // The session was dropped to make room for others. The next write opens a new one; the caller has to find out
      // whether this write has happened.
      if (error instanceof ApiError && error.code === "sessionExpired") this.#session = null;
      throw error;
    } finally {
      session.outstanding.delete(sequence);
    }
  }

  async #openSession(deadlineMs: number, signal: AbortSignal | undefined): Promise<Session> {
    const body = JSON.stringify({ clientToken: randomUUID() });
    const { sessionId } = await this.#untilAnswered<AnswerOf<"session.open">>(deadlineMs, signal, () =>
      this.#http.post("session.open", body, Math.max(1, deadlineMs - performance.now()), signal),
    );
    return { id: sessionId, nextSequence: 1, outstanding: new Set() };
  }

  async #untilAnswered<Answer>(
    deadlineMs: number,
    signal: AbortSignal | undefined,
    attempt: () => Promise<string>,
  ): Promise<Answer> {
    // If nothing listens at the first attempt, the client does not wait for it.
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
        this.#http.skip();
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
        const response = await this.#http.open("GET", `/v1/events?after=${last}`, "", signal, 0);
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
          error instanceof ConnectError && error.kind === "noNode" && !hasAnswered && this.#http.count === 1;
        if (!mayBeRetried(error) || isNobodyThere) throw error;
        this.#http.skip();
      }
      if (signal.aborted) return;
      await delay(waitMs, null, { signal }).catch(() => undefined);
      waitMs = Math.min(RETRY_MAX_MS, waitMs * 2);
    }
  }

  async console(name: string, view: ConsoleView, options: CallOptions = {}): Promise<ConsoleStream> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
    const query = new URLSearchParams({ name });
    if (view.kind === "logs") {
      if (view.linesMax !== null) query.set("lines", `${view.linesMax}`);
      query.set("previous", `${view.previous}`);
      query.set("follow", `${view.follow}`);
    }
    const path = `/v1/vm.${view.kind}?${query}`;
    const { socket, target } = await this.#http.upgrade(path, CONSOLE_UPGRADE, timeoutMs, signal);
    return new ConsoleStream(socket, target);
  }

  async close(): Promise<void> {
    const session = await this.#session?.catch(() => null);
    this.#session = null;
    if (session != null) {
      const sequence = session.nextSequence;
      const body = { session: { id: session.id, sequence, lowestUnacknowledged: sequence } };
      // Best effort: a session that stays open is dropped in time, to make room for others.
      await this.#http.post("session.close", JSON.stringify(body), 1000, undefined).catch(() => undefined);
    }
    this.#http.close();
  }
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
