import { expect, test } from "vitest";
import type { Append, Certificate, NodeId, RequestVote } from "../index.ts";
import { Cluster } from "../testing/index.ts";

/** An empty append after the node's last entry. */
function append(
  cluster: Cluster,
  from: NodeId,
  to: NodeId,
  term: number,
  certificate: Certificate | null,
  fields: Partial<Append> = {},
): Append {
  const { log } = cluster.node(to);
  const prevIndex = log.lastIndex;
  return {
    type: "append",
    ...cluster.header(from, to, term),
    prevIndex,
    prevTerm: log.termAt(prevIndex) ?? 0,
    prevChain: log.chainAt(prevIndex) ?? "",
    entries: [],
    commit: 0,
    certificate,
    ...fields,
  };
}

function ledCluster(ids: readonly NodeId[] = [1, 2, 3]): Cluster {
  const cluster = new Cluster(ids);
  cluster.elect(1);
  cluster.propose(1, "a");
  cluster.run(200);
  return cluster;
}

test("an append without election is refused, and moves no term", () => {
  const cluster = ledCluster();
  cluster.deliver({ from: 3, to: 2, message: append(cluster, 3, 2, 5, null) });
  expect(cluster.node(2)).toMatchObject({ term: 1, leaderId: 1 });
  expect(cluster.take("appendResponse", { from: 2 })).toMatchObject([{ message: { outcome: "uncertified" } }]);
});

test("an append with an election that never was is refused and kept, and its sender heard no more", () => {
  const cluster = ledCluster();
  const real = cluster.certificate("election", 5, 3, [2, 3]);
  const [mine] = real.signatures.filter(({ id }) => id === 3);
  if (mine === undefined) throw new Error("node 3 signs for itself");
  const made = { ...real, signatures: [{ id: 2, signature: mine.signature }, mine] };
  cluster.deliver({ from: 3, to: 2, message: append(cluster, 3, 2, 5, made) });
  expect(cluster.node(2)).toMatchObject({ term: 1, leaderId: 1 });
  expect(cluster.evidence(2)).toEqual(["forgedCertificate"]);
  // A true one comes too late for a liar.
  cluster.deliver({ from: 3, to: 2, message: append(cluster, 3, 2, 5, real) });
  expect(cluster.node(2).term).toBe(1);
});

test("a certificate counts for its own kind, term and candidate alone", () => {
  for (const certificate of [
    new Cluster([1]).certificate("preVote", 5, 3, [2, 3]),
    new Cluster([1]).certificate("election", 4, 3, [2, 3]),
    new Cluster([1]).certificate("election", 5, 2, [2, 3]),
  ]) {
    const cluster = ledCluster();
    cluster.deliver({ from: 3, to: 2, message: append(cluster, 3, 2, 5, certificate) });
    expect(cluster.node(2)).toMatchObject({ term: 1, leaderId: 1 });
    expect(cluster.evidence(2)).toEqual(["forgedCertificate"]);
  }
});

test("one signature too few elects nobody, nor does one signer twice", () => {
  const cluster = ledCluster([1, 2, 3, 4, 5]);
  cluster.deliver({ from: 3, to: 2, message: append(cluster, 3, 2, 5, cluster.certificate("election", 5, 3, [3, 4])) });
  expect(cluster.node(2)).toMatchObject({ term: 1, leaderId: 1 });
  expect(cluster.evidence(2)).toEqual([]);
  const twice = cluster.certificate("election", 5, 3, [3, 4, 4]);
  cluster.deliver({ from: 3, to: 2, message: append(cluster, 3, 2, 5, twice) });
  expect(cluster.node(2)).toMatchObject({ term: 1, leaderId: 1 });
  expect(cluster.evidence(2)).toEqual(["forgedCertificate"]);
});

test("signatures of learners and strangers make no quorum", () => {
  const cluster = ledCluster();
  cluster.join(4);
  cluster.run(500);
  cluster.deliver({
    from: 3,
    to: 2,
    message: append(cluster, 3, 2, 5, cluster.certificate("election", 5, 3, [3, 4, 9])),
  });
  expect(cluster.node(2)).toMatchObject({ term: 1, leaderId: 1 });
});

test("a request for a vote in a new term needs a quorum's pre-votes", () => {
  const cluster = ledCluster();
  cluster.pass(5000);
  const request = (certificate: Certificate | null): RequestVote => ({
    type: "requestVote",
    ...cluster.header(3, 2, 9),
    preVote: false,
    lastIndex: 99,
    lastTerm: 8,
    certificate,
    transfer: "",
  });
  cluster.deliver({ from: 3, to: 2, message: request(null) });
  cluster.deliver({ from: 3, to: 2, message: request(cluster.certificate("preVote", 9, 3, [3])) });
  expect(cluster.node(2)).toMatchObject({ term: 1, votedFor: 1 });
  cluster.deliver({ from: 3, to: 2, message: request(cluster.certificate("preVote", 9, 3, [1, 3])) });
  expect(cluster.node(2)).toMatchObject({ term: 9, votedFor: 3 });
});

test("a later term in an answer moves nobody without its proof", () => {
  const cluster = ledCluster();
  const answer = (proof: Certificate | null) => ({
    from: 3,
    to: 1,
    message: {
      type: "heartbeatResponse" as const,
      ...cluster.header(3, 1, 9),
      round: 1,
      certified: false,
      proof,
      wallMs: 0,
    },
  });
  cluster.deliver(answer(null), answer(cluster.certificate("preVote", 9, 3, [3])));
  expect(cluster.node(1)).toMatchObject({ role: "leader", term: 1 });
  cluster.deliver(answer(cluster.certificate("preVote", 9, 3, [2, 3])));
  expect(cluster.node(1)).toMatchObject({ role: "follower", term: 9 });
});

test.each([
  ["preVote", 65, 65],
  ["preVote", 66, 1],
  ["election", 2, 1],
] as const)("after the voters changed in term 1, a %s of the former ones in term %i: term %i", (kind, proven, term) => {
  const cluster = ledCluster();
  cluster.join(4, true);
  cluster.runUntil("node 4 votes", () => cluster.node(1).configuration.voters.includes(4));
  cluster.run(500);
  // Two of three were a quorum, two of four are none.
  cluster.deliver({
    from: 3,
    to: 1,
    message: {
      type: "heartbeatResponse",
      ...cluster.header(3, 1, proven),
      round: 1,
      certified: false,
      proof: cluster.certificate(kind, proven, 3, [2, 3]),
      wallMs: 0,
    },
  });
  expect(cluster.node(1).term).toBe(term);
  expect(cluster.evidence(1)).toEqual([]);
});

test("a double vote is seen and the voter evicted", () => {
  const cluster = ledCluster([1, 2, 3]);
  // Node 2 voted for node 1, and for node 3 as well.
  const second = cluster.certificate("election", 1, 3, [2, 3]);
  cluster.deliver({ from: 3, to: 1, message: append(cluster, 3, 1, 1, second) });
  expect(cluster.node(1).role).toBe("leader");
  expect(cluster.evidence(1)).toContain("secondLeader");
  const doubleVote = cluster.host(1).evidence.find((evidence) => evidence.kind === "doubleVote");
  expect(doubleVote).toMatchObject({ voter: 2, term: 1, candidates: [1, 3] });
  cluster.cut(1, 3);
  const written = cluster.propose(1, "b");
  cluster.run(500);
  expect(cluster.answer(written)).toBeUndefined();
});

test("a second leader in a term is refused by those who know the first", () => {
  const cluster = ledCluster([1, 2, 3, 4, 5]);
  const second = cluster.certificate("election", 1, 5, [3, 4, 5]);
  cluster.deliver({ from: 5, to: 2, message: append(cluster, 5, 2, 1, second) });
  expect(cluster.node(2).leaderId).toBe(1);
  expect(cluster.evidence(2)).toContain("secondLeader");
  // Three and three of five: somebody is in both.
  expect(cluster.evidence(2)).toContain("doubleVote");
});

test("two contents for one index: a leader that says two things is seen at the next exchange", () => {
  const cluster = ledCluster();
  cluster.deliver({ from: 1, to: 2, message: append(cluster, 1, 2, 1, null, { prevChain: "another" }) });
  expect(cluster.host(2).evidence).toMatchObject([
    { kind: "twoContents", from: 1, index: 2, term: 1, theirs: "another" },
  ]);
  expect(cluster.node(2).log.lastIndex).toBe(2);
});

test("an append whose entries do not follow from one another is kept as evidence, and nothing of it in the log", () => {
  const cluster = ledCluster();
  const { log } = cluster.node(1);
  const entry = log.entryAt(2);
  if (entry === null) throw new Error("there is an entry 2");
  for (const wrong of [
    { ...entry, index: 3, chain: "made up" },
    { ...entry, index: 9 },
    { ...entry, index: 3, term: 7 },
  ]) {
    const fresh = ledCluster();
    fresh.deliver({ from: 1, to: 2, message: append(fresh, 1, 2, 1, null, { entries: [wrong] }) });
    expect(fresh.evidence(2)).toEqual(["malformedAppend"]);
    expect(fresh.node(2).log.lastIndex).toBe(2);
    expect(fresh.take("appendResponse", { from: 2 })).toEqual([]);
  }
});

test("an acknowledgement of what was never sent is a lie and does not count", () => {
  for (const [matchIndex, matchChain] of [
    [99, ""],
    [2, "another"],
  ] as const) {
    const cluster = ledCluster();
    cluster.deliver({
      from: 2,
      to: 1,
      message: {
        type: "appendResponse",
        ...cluster.header(2, 1, 1),
        outcome: "matched",
        matchIndex,
        matchChain,
        hintIndex: 0,
        hintTerm: 0,
        proof: null,
        endorsement: null,
      },
    });
    expect(cluster.evidence(1)).toEqual(["lyingAcknowledgement"]);
    expect(cluster.node(1).role).toBe("leader");
  }
});

test("a vote that its voter did not sign does not count", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.isolate(3);
  cluster.loses = ({ message }) => message.type === "voteResponse" && !message.preVote;
  cluster.runUntil("node 1 stands", () => cluster.node(1).role === "candidate");
  cluster.settle();
  const { term } = cluster.node(1);
  cluster.deliver({
    from: 3,
    to: 1,
    message: {
      type: "voteResponse",
      ...cluster.header(3, 1, term),
      preVote: false,
      granted: true,
      signature: "made up",
      proof: null,
      wallMs: 0,
    },
  });
  expect(cluster.node(1).role).toBe("candidate");
  expect(cluster.evidence(1)).toEqual(["forgedSignature"]);
});

test("a message in another's name is refused, whatever it says", () => {
  const cluster = ledCluster();
  const certificate = cluster.certificate("election", 5, 3, [2, 3]);
  cluster.say("peer-2", 1, append(cluster, 3, 1, 5, certificate));
  expect(cluster.node(1)).toMatchObject({ role: "leader", term: 1 });
  expect(cluster.host(1).evidence).toEqual([{ kind: "impersonation", peer: "peer-2", claimed: 3 }]);
});

test("another cluster, another incarnation of this one, or another addressee: not even its term is looked at", () => {
  const cluster = ledCluster();
  const certificate = cluster.certificate("election", 5, 3, [2, 3]);
  const message = append(cluster, 3, 2, 5, certificate);
  for (const foreign of [
    { ...message, clusterId: "another" },
    { ...message, incarnation: 2 },
    { ...message, to: 1 },
  ]) {
    cluster.deliver({ from: 3, to: 2, message: foreign });
  }
  expect(cluster.node(2)).toMatchObject({ term: 1, leaderId: 1 });
  expect(cluster.evidence(2)).toEqual([]);
});

test("a stranger is asked who it is, once a heartbeat, and nothing it says is looked at", () => {
  const cluster = ledCluster();
  const since = cluster.sent.length;
  for (let at = 0; at < 100; at++) {
    cluster.say("peer-99", 2, append(cluster, 99, 2, 5, cluster.certificate("election", 5, 99, [2, 3])));
  }
  expect(cluster.node(2)).toMatchObject({ term: 1, leaderId: 1 });
  expect(cluster.sent.slice(since).map(({ message }) => message.type)).toEqual(["whoAreYou"]);
});

test("a lineage with made-up signatures introduces nobody", () => {
  const cluster = ledCluster();
  cluster.join(4);
  cluster.run(200);
  const [link] = cluster.node(1).lineage;
  if (link === undefined) throw new Error("there is a link");
  const fresh = ledCluster();
  fresh.say("peer-99", 2, {
    type: "introduction",
    ...fresh.header(99, 2, 1),
    links: [{ ...link, signatures: link.signatures.map(({ id }) => ({ id, signature: "made up" })) }],
  });
  expect(fresh.evidence(2)).toEqual(["forgedLineage"]);
  fresh.say("peer-98", 2, { type: "introduction", ...fresh.header(98, 2, 1), links: [{ ...link, signatures: [] }] });
  expect(fresh.node(2).configuration.members).toHaveLength(3);
});
