/**
 * The consoles of a cluster, as one node gives them to its clients and to other members. The host of a VM shows them:
 * this node, or a peer with a connection to it, or one that only another member is connected to.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { NodeId, PeerId } from "../../core/index.ts";
import { type ConsoleAsk, FRAME_KIND } from "../console-protocol/index.ts";
import { ApiError } from "../errors/index.ts";
import { parseAsk } from "./ask-schema.ts";
import { ask, isUnreachable, type OpenConsole } from "./asking.ts";
import { type ConsoleHost, refuse } from "./host.ts";
import { type Line, type LineListener, localLine } from "./line.ts";
import { unreadable, workerUnreachable } from "./refusals.ts";

/** How long a peer that has opened a line may take to say what it wants. */
const ASK_LIMIT_MS = 5000;
const LOOK_MS = 250;
/** What waits for a member that this node speaks for. More comes only from one that breaks the rules. */
const BACKLOG_BYTES_MAX = 1024 * 1024;

export interface ConsolesParts {
  readonly workerId: NodeId;
  readonly host: ConsoleHost;
  /** @throws Error when the peer is not connected to this node. */
  open(to: PeerId): Promise<Line>;
  /** Null: there is no such worker, or this node does not speak for others. */
  peerIdOf(workerId: NodeId): PeerId | null;
  /** How long this node looks for a host that nobody is connected to: it may be about to connect to another member. */
  readonly patienceMs: number;
  /** The other members. */
  members(): readonly PeerId[];
}

export class Consoles {
  readonly #parts: ConsolesParts;

  constructor(parts: ConsolesParts) {
    this.#parts = parts;
  }

  /** The reader gets every frame from `opened` on. @throws ApiError */
  async open(asked: ConsoleAsk, reader: LineListener): Promise<OpenConsole> {
    const { workerId, host, patienceMs } = this.#parts;
    if (asked.workerId === workerId) {
      const [near, far] = localLine();
      const opened = ask(near, asked, reader);
      host.serve(far, asked);
      return await opened;
    }
    const untilMs = performance.now() + patienceMs;
    for (;;) {
      const opened = await this.#openElsewhere(asked, reader);
      if (opened !== null) return opened;
      if (performance.now() >= untilMs) throw workerUnreachable(asked.workerId);
      await delay(LOOK_MS);
    }
  }

  /** Null: nobody reaches its host now. @throws ApiError */
  async #openElsewhere(asked: ConsoleAsk, reader: LineListener): Promise<OpenConsole | null> {
    const { peerIdOf, members } = this.#parts;
    const peerId = peerIdOf(asked.workerId);
    if (peerId === null) return null;
    // By way of another member, too: a worker that is no member is connected to one of them alone.
    for (const way of [peerId, ...members().filter((member) => member !== peerId)]) {
      try {
        return await this.#askOver(way, asked, reader);
      } catch (error) {
        if (!isUnreachable(error)) throw error;
      }
    }
    return null;
  }

  /** A member asks over this line: for a machine of this host, or of one that is connected to this node. */
  answer(line: Line): void {
    const limit = setTimeout(() => line.close(), ASK_LIMIT_MS);
    let isAsked = false;
    line.listen({
      frame: (frame) => {
        if (isAsked) return;
        isAsked = true;
        clearTimeout(limit);
        const asked = parseAsk(frame);
        if (asked === null) refuse(line, unreadable());
        else if (asked.workerId === this.#parts.workerId) this.#parts.host.serve(line, asked);
        else void this.#passOn(line, asked);
      },
      closed: () => clearTimeout(limit),
    });
  }

  async #askOver(to: PeerId, asked: ConsoleAsk, reader: LineListener): Promise<OpenConsole> {
    let line: Line;
    try {
      line = await this.#parts.open(to);
    } catch {
      throw workerUnreachable(asked.workerId);
    }
    return await ask(line, asked, reader);
  }

  /** To the host alone, not to another member: an ask goes over two lines at most. */
  async #passOn(line: Line, asked: ConsoleAsk): Promise<void> {
    const peerId = this.#parts.peerIdOf(asked.workerId);
    try {
      if (peerId === null) throw workerUnreachable(asked.workerId);
      const opened = await this.#askOver(peerId, asked, {
        frame: (frame) => {
          if (line.backlogBytes > BACKLOG_BYTES_MAX) line.close();
          else line.send(frame);
        },
        closed: () => line.close(),
      });
      line.listen({
        frame: (frame) => {
          if (frame[0] === FRAME_KIND.more) opened.more();
          else if (frame[0] === FRAME_KIND.typed) opened.typed(frame);
        },
        closed: () => opened.close(),
      });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      refuse(line, error);
    }
  }
}
