import { beforeEach, expect, test } from "vitest";
import { type Command, DEFAULT_RAFT_OPTIONS, Node } from "../../core/index.ts";
import { Identity, sha256, verifySignature } from "../identity/index.ts";
import { formatJoinToken, makeToken } from "../tokens/index.ts";
import { type Admitter, answerJoin } from "./admit.ts";
import { CLOCK_DIFFERENCE_MAX_MS } from "./join-refusals.ts";
import { decodeJoinAnswer, encodeJoinRequest, type JoinRequest } from "./protocol.ts";

const CLUSTER = "cluster-a";
const WALL_MS = 1_800_000_000_000;

let member: Identity;
let node: Node;
let proposed: Command[];
beforeEach(async () => {
  member = await Identity.generate();
  proposed = [];
  const runtime = {
    peerId: member.peerId,
    randomUint32: () => 1,
    sign: (statement: Uint8Array) => member.sign(statement),
    verify: verifySignature,
    digest: sha256,
  };
  const genesis = Node.genesis(CLUSTER, 0, [{ id: 1, peerId: member.peerId }]);
  node = new Node(1, DEFAULT_RAFT_OPTIONS, runtime, genesis, { nowMs: 0, wallMs: WALL_MS });
});

/** A member that does not lead and knows no leader. */
function admitter(): Admitter {
  return {
    clusterId: CLUSTER,
    incarnation: 0,
    node,
    request(request) {
      if (request.kind === "propose") proposed.push(request.request.command);
      return Promise.resolve({ kind: "refused", refusal: { kind: "noLeader" } });
    },
    wallMs: () => WALL_MS,
    peers: () => [],
    askLeader: () => Promise.resolve(null),
  };
}

function request(fields: Partial<JoinRequest> = {}): JoinRequest {
  const token = makeToken();
  const pins = formatJoinToken(token, CLUSTER, [member.peerId]).split(".")[3] ?? "";
  return {
    ...{ version: 1, kind: "join", tokenId: token.id, secret: token.secret, pins, nodeId: 2 },
    ...{ addresses: ["127.0.0.1:7002"], role: "member", wallMs: WALL_MS },
    ...fields,
  };
}

async function refusal(asked: Uint8Array): Promise<{ kind: string; message: string }> {
  const answer = await answerJoin(admitter(), "12D3KooWstranger", asked, new AbortController().signal);
  try {
    decodeJoinAnswer(answer, 2);
  } catch (error) {
    if (error instanceof Error && "kind" in error) return { kind: String(error.kind), message: error.message };
    throw error;
  }
  throw new Error("it was admitted");
}

test.each([
  [CLOCK_DIFFERENCE_MAX_MS + 1000, "61 s ahead of"],
  [-300_000, "300 s behind"],
])("a clock that is %i ms off is refused, and told by how much", async (offMs, words) => {
  const { kind, message } = await refusal(encodeJoinRequest(request({ wallMs: WALL_MS + offMs })));
  expect(kind).toBe("clockOff");
  expect(message).toContain(words);
  expect(proposed).toEqual([]);
});

test("a clock that is off a little is not", async () => {
  expect((await refusal(encodeJoinRequest(request({ wallMs: WALL_MS + CLOCK_DIFFERENCE_MAX_MS - 1 })))).kind).toBe(
    "notNow",
  );
});

test("an id that a member has is refused before anything is asked of the cluster", async () => {
  expect((await refusal(encodeJoinRequest(request({ nodeId: 1 })))).kind).toBe("idTaken");
  expect(proposed).toEqual([]);
});

test.each<[string, Uint8Array]>([
  ["no JSON", Uint8Array.of(1, 2, 3)],
  ["another version", new TextEncoder().encode(JSON.stringify({ ...request0(), version: 2 }))],
  ["no addresses", new TextEncoder().encode(JSON.stringify({ ...request0(), addresses: [] }))],
  ["more than was asked for", new TextEncoder().encode(JSON.stringify({ ...request0(), extra: 1 }))],
])("a request that is %s is refused by name", async (_, bytes) => {
  expect((await refusal(bytes)).kind).toBe("invalidRequest");
});

function request0(): JoinRequest {
  const { id, secret } = makeToken();
  return {
    version: 1,
    kind: "join",
    tokenId: id,
    secret,
    pins: "",
    nodeId: 2,
    addresses: ["a:1"],
    role: "member",
    wallMs: WALL_MS,
  };
}

test("an answer that makes no sense is refused by the joining node", () => {
  const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  for (const wrong of [
    Uint8Array.of(0),
    bytes({}),
    bytes({ kind: "admitted", clusterId: "c", incarnation: 0, meta: "AAAA", peers: [] }),
  ])
    expect(() => decodeJoinAnswer(wrong, 2)).toThrow(expect.objectContaining({ name: "JoinRefused" }));
});
