/**
 * The model against the core: the same commands and questions, as clients of a run would ask them, one after another.
 */
import { expect, test } from "vitest";
import {
  applyEntries,
  type ClusterState,
  type CommandRequest,
  DEFAULT_COUNT_LIMITS,
  DEFAULT_RAFT_OPTIONS,
  type Entry,
  emptyState,
  encodeRequest,
  InvalidCommand,
  query,
  stampRequest,
} from "../../../core/index.ts";
import { Streams } from "../../random/index.ts";
import { Generator, STEADY_WORKLOAD } from "../../workload/index.ts";
import { difference } from "../same.ts";
import { ClusterModel, whyWrong } from "./index.ts";

const REQUESTS = 2500;
const LIMITS = { ...DEFAULT_COUNT_LIMITS, tokens: 12, tasks: 3, ipPools: 4, events: 128 };

/** What is refused only where nodes, sessions or workers are. */
const ELSEWHERE = new Set(["invalidRequest", "requestTooLarge"]);

/** Runs the requests of one seed; returns how often each refusal was met. */
function refusalsOf(seed: number, tamper: (state: ClusterState) => ClusterState = (state) => state) {
  const rng = new Streams(seed).stream("requests");
  const generator = new Generator(STEADY_WORKLOAD, DEFAULT_RAFT_OPTIONS);
  const model = new ClusterModel(LIMITS);
  const met = new Map<string, number>();
  let state = emptyState(LIMITS);
  let index = 0;
  for (let asked = 0; asked < REQUESTS; asked++) {
    const nowMs = 20 * asked;
    const next = generator.next(rng, nowMs);
    if (next.kind === "read") {
      const result = query(state, next.query);
      expect(whyWrong(model.tables, state.appliedIndex, next.query, result)?.() ?? null).toBeNull();
      generator.belief.learn(next, { kind: "read", index, result }, nowMs);
      continue;
    }
    const actor = rng.chance(0.3) ? "somebody" : null;
    const entry = entryOf(index + 1, { session: null, actor, command: next.command }, nowMs);
    if (entry === null) continue;
    index += 1;
    const expected = model.apply(entry);
    const outcome = applyEntries(state, [entry]);
    state = tamper(outcome.state);
    const [result] = outcome.results;
    if (result === undefined) throw new RangeError("an entry without a result");
    const why = difference(result, expected);
    if (why !== null) throw new Error(`${next.command.kind} at ${index}: ${why}`);
    if (!result.ok) met.set(result.refusal.kind, (met.get(result.refusal.kind) ?? 0) + 1);
    generator.belief.learn(next, { kind: "applied", index, term: 1, result }, nowMs);
  }
  return met;
}

/** Null: no node would take it. */
function entryOf(index: number, request: CommandRequest, wallMs: number): Entry | null {
  try {
    const data = stampRequest(encodeRequest(request), { wallMs, proposer: 1 });
    return { index, term: 1, kind: "command", data, chain: "" };
  } catch (error) {
    if (error instanceof InvalidCommand) return null;
    throw error;
  }
}

test("both do the same, and every refusal that clients aim at is met", () => {
  const met = new Set([1, 2, 3].flatMap((seed) => [...refusalsOf(seed).keys()]));
  const aimedAt = new Generator(STEADY_WORKLOAD, DEFAULT_RAFT_OPTIONS).outcomes.filter((outcome) => outcome !== "ok");
  expect(aimedAt.filter((outcome) => !met.has(outcome) && !ELSEWHERE.has(outcome))).toEqual([]);
  expect(met).toContain("limitReached");
});

test("a state that loses what happened is found out", () => {
  const loses = (state: ClusterState): ClusterState => ({ ...state, events: emptyState(LIMITS).events });
  expect(() => refusalsOf(1, loses)).toThrow();
});
