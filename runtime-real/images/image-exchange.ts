/**
 * How nodes give images to each other. Each answers for what it has itself, and a member passes questions on: to the
 * other members, and to the workers that are connected to it. Nobody keeps a record of who has what: who wants an
 * image asks.
 *
 * A question goes along the route that it carries, which only gets shorter, so none goes round.
 */
import type { PeerId } from "../../core/index.ts";
import type { ImageStore } from "./image-store.ts";
import {
  encodeQuestion,
  encodeRoutes,
  given,
  NO,
  parseQuestion,
  parseRoutes,
  type Question,
  ROUTES_MAX,
  type Route,
  type Scope,
  yes,
} from "./protocol.ts";
import { Turns } from "./turns.ts";

/** For a chunk over the slowest link that makes sense. */
const ANSWER_LIMIT_MS = 20_000;
/** A node that does not say in time whether it has an image has it not. */
const FIND_LIMIT_MS = 3000;
/** A member asks its own workers before it answers, so it gets more time. */
const FIND_FARTHER_MS = 1000;
/** Nodes that are asked at the same time. */
const ASKED_AT_ONCE = 16;
/** Chunks that are read or passed on at the same time; each takes `CHUNK_BYTES` of memory. Others wait. */
const ANSWERED_AT_ONCE = 16;
const WAITING_MAX = 256;
const WORDS_BYTES_MAX = 1024;

/** The nodes around this one. */
export interface ImagePeers {
  /** Resolves to the answer. @throws Error when none comes */
  ask(to: PeerId, question: Uint8Array, limitMs: number, signal: AbortSignal): Promise<Uint8Array>;
  /** The members other than this node; of a worker that is no member, the one that it is connected to. */
  members(): readonly PeerId[];
  /** The workers that are no members and are connected to this node. */
  workers(): readonly PeerId[];
  isMemberOfCluster(peerId: PeerId): boolean;
  /** Whether this node is a member itself. If not, it asks its member, and speaks for nobody else. */
  readonly isMember: boolean;
}

/** A question for a part of an image, which goes along its route. */
type Part = Exclude<Question, { readonly kind: "find" }>;

export class ImageExchange {
  readonly #store: ImageStore;
  readonly #peers: ImagePeers;
  readonly #hold: (digest: string) => string;
  readonly #turns = new Turns(ANSWERED_AT_ONCE);

  /** @param hold fetches an image, unless it is here, and says how far that is. */
  constructor(store: ImageStore, peers: ImagePeers, hold: (digest: string) => string) {
    this.#store = store;
    this.#peers = peers;
    this.#hold = hold;
  }

  /** Where an image is, other than here: a few of all places, the nearest first. */
  async find(digest: string, signal: AbortSignal): Promise<readonly Route[]> {
    return this.#peers.isMember
      ? await this.#askAround(digest, "cluster", null, signal)
      : await this.#askAll(this.#peers.members(), digest, "cluster", signal);
  }

  /** Null: it is not there any more, or the place is not reached. Not checked yet. */
  async description(digest: string, route: Route, signal: AbortSignal): Promise<Uint8Array | null> {
    return await this.#ask({ kind: "description", digest, route }, ANSWER_LIMIT_MS, signal);
  }

  /** As `description`. */
  async chunk(
    digest: string,
    route: Route,
    file: number,
    index: number,
    signal: AbortSignal,
  ): Promise<Uint8Array | null> {
    return await this.#ask({ kind: "chunk", digest, route, file, index }, ANSWER_LIMIT_MS, signal);
  }

  /** Has another node fetch it. Resolves to how far it is, for people; null: that node is not reached. */
  async hold(holder: PeerId, digest: string, signal: AbortSignal): Promise<string | null> {
    const routes: readonly Route[] = [[holder], ...this.#peers.members().map((member) => [member, holder])];
    for (const route of routes) {
      const answer = await this.#ask({ kind: "hold", digest, route }, FIND_LIMIT_MS, signal);
      if (answer !== null) return new TextDecoder().decode(answer.subarray(0, WORDS_BYTES_MAX));
    }
    return null;
  }

  /** What another node asks. Never rejects. */
  async answer(from: PeerId, bytes: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const question = parseQuestion(bytes);
    if (question === null || (question.kind === "hold" && !this.#peers.isMemberOfCluster(from))) return NO;
    try {
      const found =
        question.kind === "find"
          ? encodeRoutes(await this.#places(from, question, signal))
          : await this.#inTurn(question, signal);
      return found === null ? NO : yes(found);
    } catch {
      // It was removed meanwhile, or its file cannot be read: the other asks somebody else.
      return NO;
    }
  }

  async #places(
    from: PeerId,
    { digest, scope }: Extract<Question, { readonly kind: "find" }>,
    signal: AbortSignal,
  ): Promise<readonly Route[]> {
    const here: readonly Route[] = this.#store.has(digest) ? [[]] : [];
    const others = await this.#askAround(digest, this.#peers.isMember ? scope : "self", from, signal);
    return [...here, ...others].slice(0, ROUTES_MAX);
  }

  async #inTurn(question: Part, signal: AbortSignal): Promise<Uint8Array | null> {
    if (this.#turns.waiting >= WAITING_MAX) return null;
    return await this.#turns.run(async () => {
      // Whoever asked may have given up meanwhile.
      signal.throwIfAborted();
      return await this.#part(question, signal);
    });
  }

  async #part(question: Part, signal: AbortSignal): Promise<Uint8Array | null> {
    const { digest, route } = question;
    if (route.length > 0) return this.#peers.isMember ? await this.#ask(question, ANSWER_LIMIT_MS, signal) : null;
    if (question.kind === "hold") return new TextEncoder().encode(this.#hold(digest));
    if (!this.#store.has(digest)) return null;
    if (question.kind === "description") return this.#store.description(digest);
    return await this.#store.chunk(digest, question.file, question.index);
  }

  /** Asks who is in that scope, without this node and the one that asks. */
  async #askAround(digest: string, scope: Scope, asker: PeerId | null, signal: AbortSignal): Promise<readonly Route[]> {
    const others = (peers: readonly PeerId[]): readonly PeerId[] => peers.filter((peerId) => peerId !== asker);
    const farther =
      scope === "cluster" ? this.#askAll(others(this.#peers.members()), digest, "workers", signal) : NOWHERE;
    const near = scope === "self" ? NOWHERE : this.#askAll(others(this.#peers.workers()), digest, "self", signal);
    const routes = [...(await near), ...(await farther)];
    return routes.sort((a, b) => a.length - b.length).slice(0, ROUTES_MAX);
  }

  /** Until enough have said that they have it. */
  async #askAll(
    peers: readonly PeerId[],
    digest: string,
    scope: Scope,
    signal: AbortSignal,
  ): Promise<readonly Route[]> {
    const routes: Route[] = [];
    const limitMs = FIND_LIMIT_MS + (scope === "self" ? 0 : scope === "workers" ? 1 : 2) * FIND_FARTHER_MS;
    const left = [...peers];
    const askNext = async (): Promise<void> => {
      for (let peer = left.shift(); peer !== undefined && routes.length < ROUTES_MAX; peer = left.shift()) {
        const to = peer;
        const answer = await this.#askPeer(to, { kind: "find", digest, scope }, limitMs, signal);
        if (answer !== null) routes.push(...parseRoutes(answer).map((rest) => [to, ...rest]));
      }
    };
    await Promise.all(Array.from({ length: Math.min(ASKED_AT_ONCE, peers.length) }, askNext));
    return routes.slice(0, ROUTES_MAX);
  }

  /** Along its route. */
  async #ask(question: Part, limitMs: number, signal: AbortSignal): Promise<Uint8Array | null> {
    const [next, ...route] = question.route;
    return next === undefined ? null : await this.#askPeer(next, { ...question, route }, limitMs, signal);
  }

  /** Null: it says no, or nothing in time. */
  async #askPeer(to: PeerId, question: Question, limitMs: number, signal: AbortSignal): Promise<Uint8Array | null> {
    try {
      return given(await this.#peers.ask(to, encodeQuestion(question), limitMs, signal));
    } catch {
      signal.throwIfAborted();
      return null;
    }
  }
}

const NOWHERE: Promise<readonly Route[]> = Promise.resolve([]);
