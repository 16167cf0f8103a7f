/**
 * Who makes tokens for joining, takes some back, and the strangers who try to join with them: several with one token,
 * before and after it was revoked, before and after it has expired. Only the record of the node is made: nobody starts
 * it, and the membership stays as it is.
 */
import type { ApplyResult, ClientAnswer, Command } from "../../core/index.ts";
import { drawRange, type Range, type Stream } from "../random/index.ts";
import type { World } from "../world/index.ts";

export interface DoorShape {
  /** Mean time between one token and the next. */
  readonly everyMs: Range;
  readonly ttlMs: Range;
  /** Share of the tokens that are revoked. */
  readonly revoked: number;
}

/** A call of theirs that was answered for certain. */
export interface DoorCall {
  readonly kind: "create" | "revoke" | "admit";
  readonly tokenId: string;
  readonly ttlMs: number;
  /** Who joins; 0 for the others. */
  readonly nodeId: number;
  /** Virtual time of the first attempt, and of the answer. */
  readonly invokedMs: number;
  readonly answeredMs: number;
  readonly result: ApplyResult;
}

export type DoorListener = (call: DoorCall) => void;

const STRANGERS = [1, 4] as const;
/** How much longer than its token lives a stranger may wait until he tries. */
const LATEST_TRY = 2;
const ANSWER_PATIENCE_US = 2_000_000;
const RETRY_MEAN_US = 200_000;
/** Far from those of members. */
const FIRST_NODE_ID = 100_000;
const SECRET_HASH = "5e".repeat(32);

export class Doorkeeper {
  readonly #world: World;
  readonly #rng: Stream;
  readonly #shape: DoorShape;
  readonly #tell: DoorListener;
  #tokens = 0;
  #strangers = 0;
  #stopped = false;

  constructor(world: World, shape: DoorShape, tell: DoorListener) {
    this.#world = world;
    this.#rng = world.streams.stream("doorkeeper");
    this.#shape = shape;
    this.#tell = tell;
    this.#makeTokens(drawRange(shape.everyMs, this.#rng, false));
  }

  /** Asks for nothing new, and gives up what is not answered. */
  stop(): void {
    this.#stopped = true;
  }

  #makeTokens(everyMs: number): void {
    this.#world.loop.after(this.#rng.exponential(everyMs * 1000), () => {
      if (this.#stopped) return;
      this.#makeToken();
      this.#makeTokens(everyMs);
    });
  }

  #makeToken(): void {
    const rng = this.#rng;
    this.#tokens += 1;
    const tokenId = `token${String(this.#tokens).padStart(6, "0")}`;
    const ttlMs = drawRange(this.#shape.ttlMs, rng, true);
    const about = { tokenId, ttlMs, nodeId: 0 };
    const create: Command = {
      kind: "createToken",
      id: tokenId,
      secretHash: SECRET_HASH,
      purpose: "join",
      ttlMs,
      nodeId: null,
    };
    this.#call({ ...about, kind: "create" }, create, () => {
      const latestUs = LATEST_TRY * ttlMs * 1000;
      for (let count = rng.integer(...STRANGERS); count > 0; count -= 1)
        this.#world.loop.after(rng.integer(0, latestUs), () => this.#admit(about));
      if (rng.chance(this.#shape.revoked)) {
        const revoke: Command = { kind: "revokeToken", id: tokenId };
        this.#world.loop.after(rng.integer(0, latestUs), () =>
          this.#call({ ...about, kind: "revoke" }, revoke, () => {}),
        );
      }
    });
  }

  #admit(about: { readonly tokenId: string; readonly ttlMs: number }): void {
    this.#strangers += 1;
    const nodeId = FIRST_NODE_ID + this.#strangers;
    const admit: Command = {
      kind: "admitNode",
      tokenId: about.tokenId,
      secretHash: SECRET_HASH,
      nodeId,
      peerId: `stranger-${nodeId}`,
      addresses: ["10.0.0.1:7000"],
    };
    this.#call({ ...about, nodeId, kind: "admit" }, admit, () => {});
  }

  /** Tries at one host after the other until it knows what came of it. */
  #call(about: Pick<DoorCall, "kind" | "tokenId" | "ttlMs" | "nodeId">, command: Command, then: () => void): void {
    const { loop, gateway, members } = this.#world;
    const invokedMs = loop.nowUs / 1000;
    let attempt = 0;
    let isDone = false;
    const answered = (of: number, answer: ClientAnswer | null): void => {
      if (isDone) return;
      if (answer?.kind === "applied") {
        isDone = true;
        this.#tell({ ...about, invokedMs, answeredMs: loop.nowUs / 1000, result: answer.result });
        then();
      } else if (of === attempt) loop.after(this.#rng.exponential(RETRY_MEAN_US), attemptNext);
    };
    const attemptNext = (): void => {
      if (isDone || this.#stopped) return;
      attempt += 1;
      const mine = attempt;
      gateway.request(
        this.#rng.pick(members.hosts),
        { kind: "propose", request: { session: null, command } },
        { answered },
        mine,
      );
      loop.after(ANSWER_PATIENCE_US, () => {
        if (mine === attempt) attemptNext();
      });
    };
    attemptNext();
  }
}
