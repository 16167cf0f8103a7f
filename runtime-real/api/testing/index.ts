/** For tests of the procedures: the only member of a cluster, and what handlers need of it. */
import { pino } from "pino";
import { DEFAULT_RAFT_OPTIONS, Node, type RaftOptions } from "../../../core/index.ts";
import type { CallContext, Caller } from "../call-context.ts";
import type { Served } from "../served.ts";

const PEER_ID = "peer-1";

const runtime = {
  peerId: PEER_ID,
  randomUint32: () => 7,
  sign: () => "signature",
  verify: () => true,
  digest: (bytes: Uint8Array) => `${bytes.length} bytes`,
};

/** The only voter of its cluster. It has not been started. */
export function onlyMember(
  options: RaftOptions = DEFAULT_RAFT_OPTIONS,
  begun: { readonly nowMs: number; readonly wallMs: number } = { nowMs: 0, wallMs: 0 },
): Node {
  return new Node(1, options, runtime, Node.genesis("test", 1, [{ id: 1, peerId: PEER_ID }]), begun);
}

/** What a test does not need answers nothing. `request` is what the core is asked. */
export function served(node: Node, request: Served["request"]): Served {
  return {
    node,
    clusterId: "test",
    incarnation: 1,
    version: "test",
    addresses: [],
    peerId: PEER_ID,
    request,
    peerStatus: () => [],
    callMember: () => Promise.reject(new Error("there is no other member")),
    imageCopies: { look: () => Promise.resolve({ copies: 0, wanted: 0, progress: "" }) },
    uptimeMs: () => 0,
    eventLoopDelayP99Ms: () => 0,
    nowMs: () => 0,
  };
}

/** Of a call that is never cancelled. */
export function callOf(caller: Caller = { kind: "local" }): CallContext {
  return { requestId: "test", caller, log: pino({ level: "silent" }), signal: new AbortController().signal };
}
