/** Takes the member out of the cluster whose place this node has taken, as soon as this node votes. */
import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { NOBODY, type Node, type NodeId } from "../../core/index.ts";
import type { CallContext } from "../api/index.ts";
import { ApiError } from "../errors/index.ts";
import type { RememberedSettings } from "./remembered-settings.ts";

const LEAVE_TIMEOUT_MS = 10_000;

export interface PredecessorParts {
  readonly nodeId: NodeId;
  readonly node: Pick<Node, "configuration" | "leaderId">;
  /** `replaces` in them is the predecessor; null: there is none, or it has left. */
  readonly settings: Pick<RememberedSettings, "current" | "change">;
  /** The procedure `cluster.leave`. */
  leave(nodeId: NodeId, context: CallContext): Promise<unknown>;
  readonly log: Logger;
}

export class Predecessor {
  readonly #parts: PredecessorParts;
  #isLeaving = false;

  constructor(parts: PredecessorParts) {
    this.#parts = parts;
  }

  /** Asks for its removal if that is still to be done. What fails is asked again at the next review. */
  review(): void {
    const { node, settings } = this.#parts;
    const predecessor = settings.current.replaces;
    const isReady = node.configuration.voters.includes(this.#parts.nodeId) && node.leaderId !== NOBODY;
    if (predecessor === null || !isReady || this.#isLeaving) return;
    this.#isLeaving = true;
    const requestId = randomUUID();
    const log = this.#parts.log.child({ requestId });
    const context: CallContext = {
      requestId,
      caller: { kind: "local" },
      log,
      signal: AbortSignal.timeout(LEAVE_TIMEOUT_MS),
    };
    const hasLeft = (): void => {
      log.info({ predecessor }, "the node whose place this one takes has left");
      settings.change({ replaces: null });
    };
    this.#parts
      .leave(predecessor, context)
      .then(hasLeft, (error: unknown) => {
        if (error instanceof ApiError && error.code === "nodeNotFound") hasLeft();
        else log.warn({ err: error, predecessor }, "the node whose place this one takes has not left yet");
      })
      .finally(() => {
        this.#isLeaving = false;
      });
  }
}
