/** Calls between two members whose network is a function. */
import { pino } from "pino";
import { expect, test } from "vitest";
import { NetworkError } from "../network/index.ts";
import { MemberCalls, type MemberCallsParts } from "./member-calls.ts";

const log = pino({ level: "silent" });
const signal = AbortSignal.timeout(10_000);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (written: string): Uint8Array => new TextEncoder().encode(written);

function callsOf(parts: Partial<MemberCallsParts>): MemberCalls {
  const unexpected = (): never => {
    throw new Error("not expected");
  };
  return new MemberCalls({
    send: unexpected,
    leader: () => null,
    procedure: unexpected,
    join: unexpected,
    log,
    ...parts,
  });
}

test("a procedure that is called on the leader is answered there", async () => {
  const heard: unknown[] = [];
  const leader = callsOf({
    procedure: async (from, body) => {
      heard.push({ from, body: JSON.parse(text(body)) });
      return bytes(JSON.stringify({ answer: { leaderId: 2 } }));
    },
  });
  const caller = callsOf({ send: async (_, call) => await leader.answer("peer-1", call, signal) });
  const answer = await caller.callProcedure(
    "peer-2",
    "cluster.transferLeader",
    { to: 2 },
    { requestId: "r-1", signal },
  );
  expect(answer).toEqual({ leaderId: 2 });
  expect(heard).toEqual([
    { from: "peer-1", body: { procedure: "cluster.transferLeader", requestId: "r-1", body: { to: 2 } } },
  ]);
});

test("a join is forwarded to the leader, with the name of who joins", async () => {
  const leader = callsOf({ join: async (joining, request) => bytes(`${joining} says ${text(request)}`) });
  const asked: string[] = [];
  const follower = callsOf({
    leader: () => ({ id: 2, peerId: "peer-2", promote: true }),
    send: async (to, call) => {
      asked.push(to);
      return await leader.answer("peer-1", call, signal);
    },
  });
  const answer = await follower.forwardJoin("a stranger", bytes("let me in"), signal);
  expect(answer && text(answer)).toBe("a stranger says let me in");
  expect(asked).toEqual(["peer-2"]);
});

test("a join has no answer when no other member leads, and when the leader does not answer", async () => {
  expect(await callsOf({}).forwardJoin("a stranger", bytes("let me in"), signal)).toBe(null);
  const lonely = callsOf({
    leader: () => ({ id: 2, peerId: "peer-2", promote: true }),
    send: () => Promise.reject(new NetworkError("notConnected", "it is down", "start it")),
  });
  expect(await lonely.forwardJoin("a stranger", bytes("let me in"), signal)).toBe(null);
});

test("a call of an unknown kind is refused", async () => {
  await expect(callsOf({}).answer("peer-1", new Uint8Array([9]), signal)).rejects.toThrow("unknown kind 9");
});
