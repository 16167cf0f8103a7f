/** What the handlers need of the node that they answer for. */
import type { ClientAnswer, ClientRequest, Node } from "../../core/index.ts";
import type { ImageCopies } from "../images/index.ts";
import type { PeerStatus } from "../network/index.ts";
import type { CallContext } from "./call-context.ts";
import type { AnswerOf, CheckedRequestOf, ProcedureName } from "./procedures.ts";

export interface Served {
  readonly node: Node;
  readonly clusterId: string;
  readonly incarnation: number;
  readonly version: string;
  readonly addresses: readonly string[];
  readonly peerId: string;
  request(request: ClientRequest): Promise<ClientAnswer>;
  peerStatus(): readonly PeerStatus[];
  /** Calls a procedure of another member. */
  callMember<Name extends ProcedureName>(
    peerId: string,
    name: Name,
    body: CheckedRequestOf<Name>,
    context: CallContext,
  ): Promise<AnswerOf<Name>>;
  readonly imageCopies: Pick<ImageCopies, "look">;
  uptimeMs(): number;
  eventLoopDelayP99Ms(): number;
  nowMs(): number;
}
