/**
 * The judging can fail. A core that ignores evidence, believes a lie or accuses too easily is found; so is an outcome
 * that the table does not allow.
 */
import { afterEach, expect, test, vi } from "vitest";
import { type ClientAnswer, type Effect, type Input, Node } from "../../core/index.ts";
import { Run } from "../run/index.ts";
import { type Scenario, scenario } from "../scenario/index.ts";
import { IDLE_OPERATOR, type OperatorShape } from "../workload/index.ts";
import { Identities } from "../world/index.ts";
import { BYZANTINE_VERDICT, Judge } from "./judge.ts";
import { type ActName, type Outcome, VERDICTS, verdictOf } from "./verdicts.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const CHURN: OperatorShape = { membershipEveryMs: [1000, 3000], transferEveryMs: [1500, 3000], voters: [3, 7] };

/** The first violation of the first seed that has one. */
function violationOf(
  act: ActName,
  parts: Partial<Scenario> = {},
): { readonly oracle: string; readonly message: string } | null {
  const lying = scenario({
    name: "lying",
    summary: "One member lies. The others must bear it.",
    durationMs: 20_000,
    operator: { ...IDLE_OPERATOR, transferEveryMs: [2000, 4000] },
    ...parts,
    liar: { acts: [act], chance: [0.1, 0.3] },
  });
  for (let seed = 1; seed <= 24; seed += 1) {
    const run = new Run(lying, { seed });
    while (!run.advance(100_000)) {
      // Until it is over.
    }
    const [first] = run.report().violations;
    if (first !== undefined) return first;
  }
  return null;
}

/** Changes what every node's step does. */
function plant(bug: (input: Input, step: (input: Input) => readonly Effect[], node: Node) => readonly Effect[]): void {
  const { step } = Node.prototype;
  vi.spyOn(Node.prototype, "step").mockImplementation(function (this: Node, input) {
    return bug(input, (other) => step.call(this, other), this);
  });
}

test("a core that keeps no evidence", () => {
  plant((input, step) => step(input).filter(({ kind }) => kind !== "evidence"));
  for (const act of ["fake-leader", "lying-acknowledgement", "identity-forgery", "forged-join"] as const) {
    expect(violationOf(act)).toMatchObject({
      oracle: BYZANTINE_VERDICT,
      message: expect.stringContaining("did not show"),
    });
  }
});

test("a core that goes on listening to whom it has evicted", () => {
  plant((input, step, { id, term }) => {
    const effects = step(input);
    if (input.kind !== "message" || effects.some(({ kind }) => kind === "send" || kind === "evidence")) return effects;
    const { from, message } = input;
    if (message.type !== "append") return effects;
    const { clusterId, incarnation, from: to, prevIndex: matchIndex } = message;
    const common = { clusterId, incarnation, from: id, to, term, matchIndex, matchChain: "", proof: null };
    const answer = { type: "appendResponse", ...common, outcome: "uncertified", hintIndex: 0, hintTerm: 0 } as const;
    return [...effects, { kind: "send", to: from, message: { ...answer, endorsement: null } }];
  });
  expect(violationOf("fake-leader")).toMatchObject({
    oracle: BYZANTINE_VERDICT,
    message: expect.stringContaining("has evicted"),
  });
});

test("a core that takes every signature for good", () => {
  vi.spyOn(Identities.prototype, "verify").mockReturnValue(true);
  expect(violationOf("fake-leader")).toMatchObject({ oracle: BYZANTINE_VERDICT });
  expect(violationOf("forged-join")).toMatchObject({ oracle: BYZANTINE_VERDICT });
});

test("a core that takes the message's word for who sent it", () => {
  plant((input, step, { configuration }) => {
    if (input.kind !== "message") return step(input);
    const named = configuration.members.find(({ id }) => id === input.message.from)?.peerId;
    return step({ ...input, from: named ?? input.from });
  });
  expect(violationOf("identity-forgery")).not.toBeNull();
});

test("a core that takes anybody's answer for the leader's", () => {
  plant((input, step, { leaderId, configuration }) => {
    if (input.kind !== "message" || input.message.type !== "readIndexResponse") return step(input);
    const leader = configuration.members.find(({ id }) => id === leaderId);
    if (leader === undefined) return step(input);
    return step({ ...input, from: leader.peerId, message: { ...input.message, from: leader.id } });
  });
  expect(violationOf("false-answer")).toMatchObject({
    oracle: BYZANTINE_VERDICT,
    message: expect.stringContaining("did not show refusal"),
  });
});

test("a core that grants pre-votes for any term", () => {
  plant((input, step, { id, term, leaderId }) => {
    if (leaderId !== 0 || input.kind !== "message" || input.message.type !== "requestVote") return step(input);
    const { from, message } = input;
    if (!message.preVote || message.term <= term + 1000) return step(input);
    const { clusterId, incarnation } = message;
    const common = { clusterId, incarnation, from: id, to: message.from, term: message.term };
    const grant = {
      type: "voteResponse",
      ...common,
      preVote: true,
      granted: true,
      signature: "",
      proof: null,
      wallMs: 0,
    } as const;
    return [...step(input), { kind: "send", to: from, message: grant }];
  });
  expect(violationOf("term-rush")).toMatchObject({
    oracle: BYZANTINE_VERDICT,
    message: expect.stringContaining("did not show refusal"),
  });
});

test("a newcomer that takes links without their signatures", () => {
  vi.spyOn(Identities.prototype, "verify").mockReturnValue(true);
  expect(violationOf("joiner-introduction", { spares: 3, operator: CHURN })).toMatchObject({
    oracle: BYZANTINE_VERDICT,
    message: expect.stringContaining("did not show forgedLineage"),
  });
});

test("a worker that acts on a false directive has believed it, and one that only asks again has not", () => {
  const { judge } = judged("worker-lease", 1, false, true);
  judge.obeyed(new Uint8Array(), [{ kind: "wakeAt", atMs: 5 }]);
  expect(judge.report()).toMatchObject({ believed: 0, seen: "inert" });
  judge.obeyed(new Uint8Array(), [{ kind: "act", action: { kind: "fenceAt", atMs: 5 } }]);
  expect(judge.report()).toMatchObject({ believed: 1, seen: "believed" });
});

test("a worker that turns from a silent liar to another has believed the silence", () => {
  const { judge } = judged("silence", 1);
  judge.reported(10_001, 2);
  judge.reported(10_001, 1);
  expect(judge.report()).toMatchObject({ believed: 0 });
  judge.reported(10_001, 2);
  expect(judge.report()).toMatchObject({ believed: 1, seen: "believed" });
});

test("a client that acts on a false answer has believed it, and one that is told the truth has not", () => {
  const { judge } = judged("client-read", 1);
  judge.took({ kind: "refused", refusal: { kind: "noLeader" } });
  expect(judge.report()).toMatchObject({ believed: 0 });
  judge.took(FALSE_ANSWER);
  expect(judge.report()).toMatchObject({ believed: 1, noticed: 0, seen: "believed" });
});

test("a newcomer that starts by what the liar made up has believed it", () => {
  const { judge } = judged("joiner-start", 1, true);
  judge.stepped(honest(), []);
  expect(judge.report()).toMatchObject({ believed: 1, noticed: 1, seen: "believed" });
});

// ---- By hand

const FALSE_ANSWER: ClientAnswer = { kind: "read", index: 1, result: { kind: "vm", vm: null } };
const SELF = { id: 1, runtime: { peerId: "liar" }, ghost: { id: 99, runtime: { peerId: "ghost" } } };

function judged(
  act: ActName,
  told: number,
  isFalseStart = false,
  isFalseDirective = false,
): { readonly judge: Judge; readonly violations: string[] } {
  const violations: string[] = [];
  const judge = new Judge({
    verdict: verdictOf(act),
    // What is not here is not asked for.
    peer: {
      self: SELF,
      told,
      hasLed: false,
      isSilent: act === "silence",
      isWatched: false,
      markOf: () => null,
      witness: () => null,
      isFalseStart: () => isFalseStart,
      isFalseDirective: () => isFalseDirective,
      isFalseAnswer: (answer: ClientAnswer) => answer === FALSE_ANSWER,
      convincedTimes: 0,
    } as never,
    members: [{ id: 2, honest: true } as never],
    violate: (oracle, message) => violations.push(`${oracle}: ${message()}`),
  });
  return { judge, violations };
}

function honestNode() {
  const configuration = { voters: [1, 2], outgoing: [], learners: [], members: [], retired: [] };
  const log = { lastIndex: 0, chainAt: () => null };
  const followed = { role: "follower", leaderId: 0, votedFor: 0, commitIndex: 0 };
  return { id: 2, term: 3, ...followed, log, halted: false, configuration };
}

function honest(): never {
  return { id: 2, honest: true, disk: { faults: 0 }, node: honestNode() } as never;
}

test("an outcome that is not in the row", () => {
  const { judge, violations } = judged("silence", 5);
  judge.stepped(honest(), [
    { kind: "evidence", evidence: { kind: "forgedCertificate", from: 1, term: 3, reason: "" } },
  ]);
  judge.finished();
  expect(judge.report()).toMatchObject({ ok: false, count: 5, seen: "evicted by node 2 (forgedCertificate)" });
  expect(violations).toEqual([
    expect.stringContaining("silence, done 5 times, 0 of them where it had to show, ended as"),
  ]);
});

test("an honest node that is evicted", () => {
  const { judge, violations } = judged("fake-leader", 1);
  judge.stepped(honest(), [
    { kind: "evidence", evidence: { kind: "lyingAcknowledgement", from: 2, index: 3, reason: "" } },
  ]);
  expect(violations).toEqual([expect.stringContaining("node 2 evicts honest node 2")]);
});

test("an honest node that stops without evidence", () => {
  const { judge, violations } = judged("corrupt-message", 1);
  judge.stepped(honest(), [{ kind: "halt", reason: "assertion failed", evidence: null }]);
  expect(violations).toEqual([expect.stringContaining("stopped itself without evidence")]);
});

test("what follows from harm counts as expected only after it, and only when the row names the oracle", () => {
  const { judge } = judged("consistent-forged-snapshot", 1);
  expect(judge.finds(BYZANTINE_VERDICT)).toBe(false);
  expect(judge.finds("state-machine-safety")).toBe(true);
  expect(judge.finds(BYZANTINE_VERDICT)).toBe(true);
  expect(judge.finds("monotonic")).toBe(false);
  expect(judge.report()).toMatchObject({ ok: true, seen: "found by state-machine-safety, byzantine-verdict" });
});

test("a node that acts on a lie has believed it, and the act is not called inert", () => {
  const { judge } = judged("silence", 1);
  const node = { id: 2, honest: true, disk: { faults: 0 }, node: { ...honestNode(), leaderId: 1 } };
  judge.stepped(node as never, []);
  judge.stepped({ ...node, node: Object.assign(node.node, { role: "preCandidate", leaderId: 0 }) } as never, []);
  expect(judge.report()).toMatchObject({ believed: 1, noticed: 0, seen: "believed" });
});

test("harm counts as expected only for an act that was done, and only when the row names the oracle", () => {
  expect(judged("premature-commit", 0).judge.finds("committed-on-quorum")).toBe(false);
  expect(judged("premature-commit", 1).judge.finds("liveness")).toBe(false);
  expect(judged("silence", 1).judge.finds("committed-on-quorum")).toBe(false);
  const { judge } = judged("premature-commit", 1);
  expect(judge.finds("committed-on-quorum")).toBe(true);
  expect(judge.report()).toMatchObject({ ok: true, seen: "found by committed-on-quorum" });
});

test("the table is consistent: oracles are named exactly where harm is allowed", () => {
  for (const { act, outcomes, oracles, summary, why, expected } of VERDICTS) {
    const allowed: readonly Outcome[] = outcomes;
    expect([act, oracles.length > 0]).toEqual([act, allowed.includes("found")]);
    expect(allowed.length).toBeGreaterThan(0);
    expect([summary, why, expected].every((text) => text.length > 0)).toBe(true);
  }
});
