/** Where reports of workers arrive, on real nodes: who is heard, who answers, and when. */
import { describe, expect, test } from "vitest";
import {
  type ClientAnswer,
  type Directive,
  decodeDirective,
  encodeReport,
  LEASE_TTL_MS,
  type Report,
  taskOf,
  vmOf,
  waitForLeaseMs,
  workerOf,
} from "../index.ts";
import { Cluster } from "../testing/index.ts";

const WORKER = 9;

const REPORT: Report = {
  workerId: WORKER,
  bootId: 77,
  sequence: 1,
  facts: {
    capacity: { vcpus: 8, memoryMiB: 8192, diskGiB: 100 },
    features: [],
    topology: { datacenter: "dc", zone: "zone", rack: "rack" },
    costPerHour: 0,
    driver: "test",
    guestsVia: [],
  },
  assignedIndex: 0,
  inventoryVersion: 1,
  inventory: { machines: [], jobs: [] },
  lacks: { vms: [], tasks: [] },
};

/** A cluster that knows of a worker. */
function cluster(ids: readonly number[] = [1, 2, 3], options: ConstructorParameters<typeof Cluster>[1] = {}): Cluster {
  const made = new Cluster(ids, options);
  made.elect(1);
  made.command(1, { kind: "announceNode", nodeId: WORKER, peerId: "peer-9", addresses: ["host-9:7000"] });
  made.settle();
  return made;
}

/** With the worker registered, and acting by what it was told. */
function registered(ids?: readonly number[], options?: ConstructorParameters<typeof Cluster>[1]): Cluster {
  const made = cluster(ids, options);
  say(made, 1, {});
  made.run(20);
  say(made, 1, {});
  made.run(20);
  expect(workerOf(made.node(1).state, WORKER)?.isOnline).toBe(true);
  return made;
}

function say(made: Cluster, to: number, fields: Partial<Report>, peerId = "peer-9"): number {
  return made.request(to, { kind: "report", peerId, data: encodeReport({ ...REPORT, ...fields }) });
}

/** The answer to a report: what was directed, or why it was refused. */
function heard(made: Cluster, requestId: number): Directive["kind"] | string | undefined {
  const answer = made.answers.get(requestId);
  if (answer?.kind !== "directive") return made.answer(requestId);
  return decodeDirective(answer.data)?.kind ?? "damaged";
}

function refusalOf(answer: ClientAnswer | undefined): unknown {
  return answer?.kind === "refused" ? answer.refusal : answer;
}

describe("who is answered", () => {
  test.each([
    ["the leader", [1, 2, 3], 1],
    ["a follower, which passes it on", [1, 2, 3], 2],
    ["the only server", [1], 1],
  ] as const)("a worker registers, and is granted a lease, through %s", (_, ids, to) => {
    const made = cluster(ids);
    const first = say(made, to, {});
    made.run(20);
    expect(heard(made, first)).toMatch(/register|granted/);
    const second = say(made, to, { sequence: 2, facts: null });
    made.run(20);
    expect(heard(made, second)).toBe("granted");
    const answer = made.answers.get(second);
    expect(answer?.kind === "directive" ? decodeDirective(answer.data) : null).toMatchObject({
      workerId: WORKER,
      bootId: 77,
      sequence: 2,
      leaseTtlMs: LEASE_TTL_MS,
      inventoryVersion: 1,
      servers: ids,
    });
  });

  test("a report under another identity is refused, and changes nothing", () => {
    const made = cluster();
    for (const to of [1, 2]) {
      const request = say(made, to, {}, "peer-of-a-stranger");
      made.run(20);
      expect(heard(made, request)).toMatch(to === 1 ? "invalidRequest" : "noLeader");
    }
    expect(workerOf(made.node(1).state, WORKER)).toBeNull();
    const other = say(made, 1, { workerId: 8 });
    expect(refusalOf(made.answers.get(other))).toMatchObject({ kind: "invalidRequest", field: "report.workerId" });
  });

  test.each([1, 2])("a worker that was removed is told so through node %i", (to) => {
    const made = registered();
    made.command(1, { kind: "setAvailability", workerId: WORKER, availability: "cordoned" });
    made.command(1, { kind: "removeWorker", workerId: WORKER });
    made.settle();
    const request = say(made, to, { bootId: 78 });
    made.run(20);
    expect(heard(made, request)).toBe("removed");
    expect(workerOf(made.node(1).state, WORKER)).toBeNull();
  });

  test("bytes that are no report are refused", () => {
    const made = cluster();
    const request = made.request(1, { kind: "report", peerId: "peer-9", data: new Uint8Array([1, 2, 3]) });
    expect(refusalOf(made.answers.get(request))).toMatchObject({ kind: "invalidRequest", field: "report" });
  });

  test("a node that halts tells its workers to ask another, whether it led or passed reports on", () => {
    const made = registered();
    made.isolate(1);
    const asked = [1, 2].map((server) => say(made, server, {}));
    expect(asked.map((request) => made.answers.get(request))).toEqual([undefined, undefined]);
    for (const id of [1, 2]) made.step(id, { kind: "writeFailed", writeId: 999, reason: "input/output error" });
    expect(asked.map((request) => heard(made, request))).toEqual(["noLeader", "noLeader"]);
  });

  test("where nobody is known to lead nobody is heard", () => {
    const made = cluster();
    made.isolate(2);
    made.runUntil("node 2 has given up its leader", () => made.node(2).leaderId === 0);
    const request = say(made, 2, {});
    expect(heard(made, request)).toBe("noLeader");
  });
});

describe("where to ask", () => {
  function serversOf(made: Cluster, requestId: number): readonly number[] | null {
    const answer = made.answers.get(requestId);
    const directive = answer?.kind === "directive" ? decodeDirective(answer.data) : null;
    if (directive?.kind === "left") return directive.voters;
    return directive?.kind === "granted" ? directive.servers : null;
  }

  test("a worker hears of a learner before that has a vote", () => {
    const made = registered([1, 2]);
    made.join(3);
    made.settle();
    const request = say(made, 1, { sequence: 3, facts: null });
    made.run(20);
    expect(serversOf(made, request)).toEqual([1, 2, 3]);
    // And the learner passes reports on.
    made.run(200);
    const through = say(made, 3, { sequence: 4, facts: null });
    made.run(20);
    expect(heard(made, through)).toBe("granted");
  });

  test("a worker hears of no learner that is down, until that is up again", () => {
    const made = registered([1, 2]);
    made.join(3);
    made.join(4);
    made.settle();
    made.crash(3);
    made.run(made.options.electionTimeoutMs + made.options.heartbeatMs);
    const request = say(made, 1, { sequence: 3, facts: null });
    made.run(20);
    expect(serversOf(made, request)).toEqual([1, 2, 4]);
    made.restart(3);
    made.run(made.options.electionTimeoutMs);
    const later = say(made, 1, { sequence: 4, facts: null });
    made.run(20);
    expect(serversOf(made, later)).toEqual([1, 2, 3, 4]);
  });

  test("of many learners a worker hears of no more than can have a vote", () => {
    const made = registered([1]);
    for (let id = 10; id < 20; id += 1) made.join(id);
    made.crash(10);
    made.run(made.options.electionTimeoutMs + made.options.heartbeatMs);
    const request = say(made, 1, { sequence: 3, facts: null });
    made.run(20);
    expect(serversOf(made, request)).toEqual([1, 11, 12, 13, 14, 15, 16, 17]);
  });

  test("a server that has left says who had a vote then", () => {
    const made = registered([1, 2, 3]);
    made.change({ kind: "remove", id: 3 });
    made.run(5000);
    expect(made.node(3).removed).toBe(true);
    const request = say(made, 3, { sequence: 3, facts: null });
    expect(heard(made, request)).toBe("left");
    expect(serversOf(made, request)).toEqual([1, 2]);
    const damaged = made.request(3, { kind: "report", peerId: "peer-9", data: new Uint8Array([1]) });
    expect(refusalOf(made.answers.get(damaged))).toMatchObject({ kind: "invalidRequest", field: "report" });
  });

  test("so does a leader that has removed itself, once that is committed", () => {
    const made = registered([1, 2, 3]);
    made.change({ kind: "remove", id: 1 });
    made.settle();
    expect(made.node(1).removed).toBe(true);
    const request = say(made, 1, { sequence: 3, facts: null });
    expect(serversOf(made, request)).toEqual([2, 3]);
  });

  test("the worker's report goes through there", () => {
    const made = registered([1, 2, 3]);
    made.change({ kind: "remove", id: 1 });
    made.settle();
    const [next] = serversOf(made, say(made, 1, { sequence: 3, facts: null })) ?? [];
    made.runUntil("another leads", () => made.node(2).role === "leader" || made.node(3).role === "leader");
    made.run(500);
    const request = say(made, next ?? 0, { sequence: 4, facts: null });
    made.run(20);
    expect(heard(made, request)).toBe("granted");
    expect(serversOf(made, request)).toEqual([2, 3]);
  });
});

describe("when", () => {
  test("not before a quorum has confirmed that the leader still leads", () => {
    const made = registered();
    made.loses = ({ message }) => message.type === "heartbeatResponse" || message.type === "appendResponse";
    const request = say(made, 1, { sequence: 3, facts: null });
    made.run(100);
    expect(heard(made, request)).toBeUndefined();
    made.loses = () => false;
    made.run(200);
    expect(heard(made, request)).toBe("granted");
  });

  test("a leader that has been followed by another grants nothing more", () => {
    const made = registered();
    made.isolate(1);
    const request = say(made, 1, { sequence: 3, facts: null });
    made.run(1);
    // This one waits for the round after that.
    const second = say(made, 1, { sequence: 4, facts: null });
    made.luckyId = 2;
    made.runUntil("node 2 leads", () => made.node(2).role === "leader");
    expect([heard(made, request), heard(made, second)]).not.toContain("granted");
    made.runUntil("node 1 has stepped down", () => made.node(1).role !== "leader");
    expect([heard(made, request), heard(made, second)]).toEqual(["noLeader", "noLeader"]);
    const late = say(made, 1, { sequence: 4, facts: null });
    expect(heard(made, late)).toBe("noLeader");
  });

  test("not by a leader that has not applied what its predecessors committed", () => {
    const made = registered();
    made.isolate(1);
    made.luckyId = 2;
    made.loses = ({ message }) => message.type === "appendResponse";
    made.runUntil("node 2 leads", () => made.node(2).role === "leader");
    expect(heard(made, say(made, 2, { sequence: 3, facts: null }))).toBe("noLeader");
    made.loses = () => false;
    made.run(500);
    const later = say(made, 2, { sequence: 4, facts: null });
    made.run(20);
    expect(heard(made, later)).toBe("granted");
  });

  test("reports that come one after the other share rounds too", () => {
    const made = registered();
    made.run(50);
    const before = made.sent.length;
    for (let n = 0; n < 100; n++) {
      say(made, 1, { sequence: 10 + n, facts: null });
      made.run(1);
    }
    const rounds = made.sent.slice(before).filter(({ message }) => message.type === "heartbeat").length / 2;
    expect(rounds).toBeLessThan(15);
  });

  test("reports that come together share one round", () => {
    const made = registered();
    made.run(50);
    const before = made.sent.length;
    const requests = Array.from({ length: 50 }, (_, at) => say(made, 1, { sequence: 10 + at, facts: null }));
    made.run(30);
    expect(requests.map((request) => heard(made, request))).toEqual(new Array(50).fill("granted"));
    const heartbeats = made.sent.slice(before).filter(({ message }) => message.type === "heartbeat");
    expect(heartbeats.length).toBeLessThan(12);
  });
});

describe("limits", () => {
  test("no more wait at the leader than may, and the others are told to come again", () => {
    const made = registered([1, 2, 3], { maxPendingRequests: 10 });
    made.loses = ({ message }) => message.type === "heartbeatResponse" || message.type === "appendResponse";
    const requests = Array.from({ length: 50 }, (_, at) => say(made, 1, { sequence: 10 + at, facts: null }));
    expect(requests.filter((request) => heard(made, request) === "noLeader").length).toBeGreaterThanOrEqual(30);
    made.loses = () => false;
    made.run(400);
    expect(requests.filter((request) => heard(made, request) === undefined)).toEqual([]);
  });

  test("no more wait at a follower than may, and what its leader never answers is given up in time", () => {
    const made = registered([1, 2, 3], { maxPendingRequests: 10, requestTimeoutMs: 300 });
    made.loses = ({ message }) => message.type === "directive";
    const requests = Array.from({ length: 15 }, (_, at) => say(made, 2, { sequence: 10 + at, facts: null }));
    made.run(290);
    expect(requests.filter((request) => heard(made, request) === "noLeader")).toHaveLength(5);
    made.run(20);
    expect(requests.map((request) => heard(made, request))).toEqual(new Array(15).fill("noLeader"));
  });
});

describe("lies and echoes", () => {
  test("what a leader cannot confirm is given up in time, at whichever server it came", () => {
    const made = registered();
    // It goes on to lead, for the others acknowledge what it appends.
    made.loses = ({ message }) => message.type === "heartbeatResponse";
    const asked = [1, 2].map((to) => say(made, to, { sequence: 2 }));
    const waitMs = made.options.requestTimeoutMs + 2 * made.options.heartbeatMs;
    for (let passedMs = 0; passedMs < waitMs; passedMs += made.options.heartbeatMs) {
      made.propose(1, `vm-${passedMs}`);
      made.run(made.options.heartbeatMs);
    }
    expect(made.node(1).role).toBe("leader");
    expect(asked.map((id) => heard(made, id))).toEqual(["noLeader", "noLeader"]);
    expect(made.node(1).capture().reports).toMatchObject({ waiting: [], inRound: [], isRoundOut: true });
    made.heal();
    const next = say(made, 1, { sequence: 3 });
    made.run(made.options.heartbeatMs);
    expect(heard(made, next)).toBe("granted");
  });

  test("an answer counts only from the leader that was asked", () => {
    const made = registered();
    made.loses = ({ message }) => message.type === "directive";
    const request = say(made, 2, { sequence: 3, facts: null });
    made.settle();
    const passed = made.sent.map(({ message }) => message).findLast(({ type }) => type === "report");
    const requestId = passed?.type === "report" ? passed.requestId : 0;
    const data = new Uint8Array([1]);
    made.say("peer-3", 2, { type: "directive", ...made.header(3, 2, made.node(2).term), requestId, data });
    expect(heard(made, request)).toBeUndefined();
    made.say("peer-1", 2, { type: "directive", ...made.header(1, 2, made.node(2).term), requestId, data });
    expect(heard(made, request)).toBe("damaged");
    // And only once.
    made.say("peer-1", 2, { type: "directive", ...made.header(1, 2, made.node(2).term), requestId, data });
  });

  test("a report that the network doubles is answered once", () => {
    const made = registered();
    const request = say(made, 2, { sequence: 3, facts: null });
    made.deliver(...made.take("report").flatMap((envelope) => [envelope, envelope]));
    made.run(30);
    expect(heard(made, request)).toBe("granted");
  });
});

describe("leading", () => {
  test("what the leader proposes by itself is placed, observed and lost like all else", () => {
    const made = registered();
    made.propose(1, "web");
    made.command(1, {
      kind: "submitTask",
      id: "job",
      spec: {
        command: "true",
        args: [],
        resources: { vcpus: 1, memoryMiB: 1, diskGiB: 0 },
        features: [],
        tenant: "default",
        timeoutMs: 1000,
        attemptsMax: 1,
      },
    });
    made.run(50);
    for (const id of [1, 2, 3]) {
      expect(vmOf(made.node(id).state, "web")).toMatchObject({ state: "Scheduled", workerId: WORKER });
      expect(taskOf(made.node(id).state, "job")).toMatchObject({ state: "Running", workerId: WORKER });
    }
    const { epoch } = vmOf(made.node(1).state, "web") ?? { epoch: 0 };
    say(made, 2, {
      sequence: 3,
      facts: null,
      inventoryVersion: 2,
      inventory: { machines: [{ name: "web", epoch, phase: "running", reason: "", isUnhealthy: false }], jobs: [] },
    });
    made.run(50);
    expect(vmOf(made.node(3).state, "web")?.state).toBe("Running");
    made.run(15_000);
    expect(workerOf(made.node(3).state, WORKER)?.isOnline).toBe(false);
    expect(vmOf(made.node(3).state, "web")).toMatchObject({ state: "Lost", workerId: null });
  });

  test("a new leader waits out every lease, and loses those that it does not hear of", () => {
    const made = registered();
    made.run(9000);
    made.elect(2);
    const sinceMs = made.nowMs;
    made.run(12_000);
    expect(workerOf(made.node(2).state, WORKER)?.isOnline).toBe(true);
    made.runUntil("the worker is lost", () => workerOf(made.node(2).state, WORKER)?.isOnline === false);
    expect(made.nowMs - sinceMs).toBeLessThan(15_000);
  });

  test("while a leader hands over, what is due does not keep it awake", () => {
    const made = registered();
    // The one that is to follow does not catch up, and the worker's time is over meanwhile.
    const untilMs = made.nowMs + waitForLeaseMs(made.options.clockDriftBound) - 200;
    made.run(untilMs - made.nowMs);
    made.loses = ({ to }) => to === 3;
    made.propose(1, "web");
    made.settle();
    const handover = made.transfer(3);
    made.run(500);
    expect(made.answer(handover)).toBeUndefined();
    expect(workerOf(made.leader.state, WORKER)?.isOnline).toBe(true);
    made.run(1500);
    expect(made.answer(handover)).toBe("transferRefused");
    expect(workerOf(made.leader.state, WORKER)?.isOnline).toBe(false);
  });
});
