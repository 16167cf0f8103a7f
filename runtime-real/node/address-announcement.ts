/** Tells the cluster where this member can be reached, until replicated state says the same. */
import type { Logger } from "pino";
import { type ClientAnswer, type ClientRequest, NOBODY, type Node, query } from "../../core/index.ts";
import type { NetworkPeer } from "../network/index.ts";

export interface AddressAnnouncementParts {
  readonly self: NetworkPeer;
  readonly node: Pick<Node, "configuration" | "state" | "leaderId">;
  request(request: ClientRequest): Promise<ClientAnswer>;
  readonly log: Pick<Logger, "error">;
}

export class AddressAnnouncement {
  readonly #parts: AddressAnnouncementParts;
  #isUnderWay = false;

  constructor(parts: AddressAnnouncementParts) {
    this.#parts = parts;
  }

  /** Proposes the addresses if they are not known, this node is a member, and there is a leader to commit them. */
  review(): void {
    const { self, node, log } = this.#parts;
    const found = query(node.state, { kind: "listNodes" });
    const own = found.kind === "nodes" ? found.nodes.find(({ id }) => id === self.id) : undefined;
    const isKnown = own !== undefined && JSON.stringify(own.addresses) === JSON.stringify(self.addresses);
    const isMember = node.configuration.members.some(({ id }) => id === self.id);
    if (isKnown || !isMember || node.leaderId === NOBODY || this.#isUnderWay) return;
    this.#isUnderWay = true;
    const { id: nodeId, peerId, addresses } = self;
    const command = { kind: "announceNode", nodeId, peerId, addresses } as const;
    this.#parts.request({ kind: "propose", request: { session: null, command } }).then(
      (answer) => {
        this.#isUnderWay = false;
        if (answer.kind === "applied" && !answer.result.ok)
          log.error({ refusal: answer.result.refusal }, "the cluster refuses this node's addresses");
      },
      (error: unknown) => log.error({ err: error }, "announcing this node's addresses failed"),
    );
  }
}
