import { describe, expect, test } from "vitest";
import { CLUSTER_LIMITS, vmSpec } from "../domain/index.ts";
import {
  applyEntries,
  type ClusterState,
  type CommandEntry,
  type CommandRequest,
  decodeSnapshot,
  emptyState,
  encodeRequest,
  encodeSnapshot,
  stampRequest,
} from "./index.ts";
import { sessionOf } from "./state.ts";

function entry(index: number, request: CommandRequest): CommandEntry {
  return { index, term: 1, data: stampRequest(encodeRequest(request), { wallMs: 0, proposer: 1 }) };
}

function open(index: number, clientToken = `t${index}`): CommandEntry {
  return entry(index, { session: null, command: { kind: "openSession", clientToken } });
}

function use(index: number, id: number, sequence: number): CommandEntry {
  const command = { kind: "deleteVm", name: "nobody", expectedGeneration: null } as const;
  return entry(index, { session: { id, sequence, lowestUnacknowledged: sequence }, command });
}

/** As many sessions as there may be, with ids from 1 on. */
function full(): ClusterState {
  const opens = Array.from({ length: CLUSTER_LIMITS.sessions }, (_, i) => open(i + 1));
  return applyEntries(emptyState(), opens).state;
}

describe("too many sessions", () => {
  const before = full();
  const next = CLUSTER_LIMITS.sessions + 1;

  test("the least recently active one gives way", () => {
    const used = applyEntries(before, [use(next, 1, 1), use(next + 1, 2, 1), open(next + 2, "t4")]).state;
    const { state } = applyEntries(used, [open(next + 3)]);
    expect(state.sessionCount).toBe(CLUSTER_LIMITS.sessions);
    expect(sessionOf(state, 3)).toBeNull();
    for (const id of [1, 2, 4, 5, next + 3]) expect(sessionOf(state, id)).not.toBeNull();
    const [refused] = applyEntries(state, [use(next + 4, 3, 1)]).results;
    expect(refused).toEqual({ ok: false, refusal: { kind: "sessionExpired", sessionId: 3 } });
  });

  test("what has expired can be opened anew by its token, as another session", () => {
    const expired = applyEntries(before, [open(next)]).state;
    const [reopened] = applyEntries(expired, [open(next + 1, "t1")]).results;
    expect(reopened).toEqual({ ok: true, kind: "sessionOpened", sessionId: next + 1 });
  });

  test("one by one, in batches, after a restore: always the obvious victim", () => {
    // Deterministic random numbers; every victim is checked against a search through all.
    let rngState = 12_345;
    const roll = (below: number): number => {
      rngState = (Math.imul(rngState, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor(rngState / 65_536) % below;
    };
    const lastActive = new Map<number, number>();
    for (let id = 1; id < next; id++) lastActive.set(id, id);
    let state = before;
    let index = next;
    const log: CommandEntry[] = [];
    for (let round = 0; round < 400; round++) {
      if (roll(3) > 0) {
        // Mostly the oldest: those are the ones whose activity makes floors stale.
        const id = 1 + roll(roll(2) === 0 ? 300 : CLUSTER_LIMITS.sessions);
        const entryHere = use(index, id, round + 1);
        log.push(entryHere);
        state = applyEntries(state, [entryHere]).state;
        if (lastActive.has(id)) lastActive.set(id, index);
      } else {
        let victim = 0;
        let oldest = Number.POSITIVE_INFINITY;
        for (const [id, at] of lastActive)
          if (at < oldest) {
            victim = id;
            oldest = at;
          }
        lastActive.delete(victim);
        lastActive.set(index, index);
        const entryHere = open(index);
        log.push(entryHere);
        state = applyEntries(state, [entryHere]).state;
        expect(sessionOf(state, victim)).toBeNull();
        expect(state.sessionCount).toBe(CLUSTER_LIMITS.sessions);
      }
      if (round === 200) state = decodeSnapshot(encodeSnapshot(state, 1 << 20));
      index++;
    }
    const atOnce = applyEntries(before, log).state;
    expect([...encodeSnapshot(atOnce, 1 << 24)]).toEqual([...encodeSnapshot(state, 1 << 24)]);
  });

  test("sessions that a batch itself opened give way too", () => {
    const opens = Array.from({ length: CLUSTER_LIMITS.sessions + 5 }, (_, i) => open(next + i));
    const { state } = applyEntries(before, opens);
    expect(state.sessionCount).toBe(CLUSTER_LIMITS.sessions);
    expect(sessionOf(state, next + 4)).toBeNull();
    expect(sessionOf(state, next + 5)).not.toBeNull();
  });

  test("an entry refused for its session changes nothing else", () => {
    const create = { kind: "createVm", name: "a", spec: vmSpec() } as const;
    const session = { id: 999_999, sequence: 1, lowestUnacknowledged: 1 };
    const { state } = applyEntries(before, [entry(next, { session, command: create })]);
    expect(state.vmCount).toBe(0);
  });
});
