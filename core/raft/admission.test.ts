import { expect, test } from "vitest";
import { Admission } from "./admission.ts";
import type { RaftEffect } from "./environment.ts";
import type { Message } from "./messages.ts";

const HEARTBEAT_MS = 100;
const peers = new Map([
  [1, "peer-1"],
  [2, "peer-2"],
]);

/** Node 1 of a cluster of two. Node 3 has left. */
function admission(emit: (effect: RaftEffect) => void = () => {}): Admission {
  const roster = {
    peerOf: (id: number) => peers.get(id),
    idOf: (peerId: string) => [...peers].find(([, known]) => known === peerId)?.[0],
    boundPeerOf: (id: number) => (id === 3 ? "peer-3" : peers.get(id)),
  };
  return new Admission({ id: 1, clusterId: "c", incarnation: 1 }, { heartbeatMs: HEARTBEAT_MS }, roster, emit);
}

function heartbeat(change: Partial<Message> = {}): Message {
  const header = { clusterId: "c", incarnation: 1, from: 2, to: 1, term: 7, ...change };
  return { ...header, type: "heartbeat", commit: 0, round: 1 };
}

test("a member's message is admitted; one of another cluster, incarnation or addressee is not", () => {
  const gate = admission();
  expect(gate.judge("peer-2", heartbeat(), 0)).toBe("admitted");
  expect(gate.judge("peer-2", heartbeat({ clusterId: "d" }), 0)).toBe("refused");
  expect(gate.judge("peer-2", heartbeat({ incarnation: 2 }), 0)).toBe("refused");
  expect(gate.judge("peer-2", heartbeat({ to: 2 }), 0)).toBe("refused");
});

test("an id that is bound to another identity is kept as evidence, also one that has left", () => {
  const effects: RaftEffect[] = [];
  const gate = admission((effect) => effects.push(effect));
  expect(gate.judge("peer-3", heartbeat(), 0)).toBe("refused");
  expect(gate.judge("peer-4", heartbeat({ from: 3 }), 0)).toBe("refused");
  expect(effects).toEqual([
    { kind: "evidence", evidence: { kind: "impersonation", peer: "peer-3", claimed: 2 } },
    { kind: "evidence", evidence: { kind: "impersonation", peer: "peer-4", claimed: 3 } },
  ]);
});

test("a stranger is looked at once in a heartbeat interval", () => {
  const gate = admission();
  const stranger = heartbeat({ from: 9 });
  expect(gate.judge("peer-9", stranger, 0)).toBe("stranger");
  expect(gate.judge("peer-9", stranger, HEARTBEAT_MS - 1)).toBe("refused");
  expect(gate.judge("peer-9", stranger, HEARTBEAT_MS)).toBe("stranger");
});

test("a member with evidence against it is ignored; a node never ignores itself", () => {
  const gate = admission();
  gate.evict(2);
  gate.evict(1);
  expect(gate.judge("peer-2", heartbeat(), 0)).toBe("refused");
  expect(gate.isAdmitted("peer-2")).toBe(false);
  expect(gate.isAdmitted("peer-1")).toBe(true);
});

test("evidence is kept once for each key", () => {
  const effects: RaftEffect[] = [];
  const gate = admission((effect) => effects.push(effect));
  for (const key of ["a", "a", "b"]) gate.report(key, { kind: "forgedLineage", from: 2, jointIndex: 1, reason: key });
  expect(effects.length).toBe(2);
});
