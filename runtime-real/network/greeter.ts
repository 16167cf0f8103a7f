/** Hellos, this node's own and its answers to those of others, and the introductions that they may carry. */
import {
  decodeMessage,
  encodeMessage,
  InvalidFrame,
  type Message,
  type NodeId,
  type PeerId,
} from "../../core/index.ts";
import type { Complaints } from "./complaints.ts";
import { type HelloAnswer, helloOf, parseHello } from "./handshake.ts";
import { isKnown, type NetworkHandlers } from "./network-handlers.ts";

export interface GreeterParts {
  readonly nodeId: NodeId;
  readonly clusterId: string;
  readonly incarnation: number;
  /** Where this node is to be dialled. */
  readonly addresses: readonly string[];
  readonly handlers: NetworkHandlers;
  readonly complaints: Complaints;
}

export class Greeter {
  readonly #parts: GreeterParts;

  constructor(parts: GreeterParts) {
    this.#parts = parts;
  }

  /** The hello to `to`. `proves`: with the proof that this node is a member, because the peer did not know it. */
  hello(to: NodeId, proves: boolean): Uint8Array {
    const { handlers, nodeId, clusterId, incarnation, addresses } = this.#parts;
    const introduction = proves ? handlers.introduction(to, null) : null;
    return helloOf({
      nodeId,
      clusterId,
      incarnation,
      introduction: introduction === null ? null : base64(introduction),
      addresses,
    });
  }

  /** What the hello of `from` is answered with. */
  answer(from: PeerId, frame: Uint8Array): HelloAnswer {
    const { handlers, clusterId, incarnation, nodeId } = this.#parts;
    const hello = parseHello(frame);
    if (hello === null) return { kind: "refused", reason: "invalid", introduction: null };
    if (hello.clusterId !== clusterId || hello.incarnation !== incarnation)
      return { kind: "refused", reason: "wrongCluster", introduction: null };
    if (hello.introduction !== null && !handlers.isMember(from)) this.introduced(from, hello.introduction);
    if (handlers.isMember(from)) handlers.toldAddresses(from, hello.addresses);
    if (isKnown(handlers, from)) return { kind: "welcome", nodeId };
    if (handlers.workers?.isRemoved(from) === true) return { kind: "refused", reason: "removed", introduction: null };
    const introduction = handlers.introduction(hello.nodeId, from);
    return { kind: "refused", reason: "notMember", introduction: introduction === null ? null : base64(introduction) };
  }

  /** The only Raft message that needs no membership. It proves itself, and the core checks the proof. */
  introduced(from: PeerId, introduction: string): void {
    const { handlers, complaints } = this.#parts;
    try {
      const message = decodeMessage(Buffer.from(introduction, "base64"));
      if (message.type === "introduction") handlers.message(from, message);
    } catch (error) {
      if (!(error instanceof InvalidFrame)) throw error;
      complaints.complain(`an introduction of ${from} cannot be read: ${error.message}`);
    }
  }
}

function base64(message: Message): string {
  return Buffer.from(encodeMessage(message)).toString("base64");
}
