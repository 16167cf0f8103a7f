import { expect, test } from "vitest";
import { applyEntries, DEFAULT_COUNT_LIMITS, decodeEntryData, encodeRequest, stampRequest } from "../../core/index.ts";
import type { OracleContext } from "./context.ts";
import { exactlyOnce } from "./exactly-once.ts";
import { Reference } from "./reference.ts";
import { SessionBook } from "./session-book.ts";
import { createVm, deleteVm, FakeCluster, inSession, propose, sessionless } from "./testing/index.ts";

const OPEN = sessionless({ kind: "openSession", clientToken: "client" });

test("a retry in the log changes nothing", () => {
  const cluster = new FakeCluster(1, [exactlyOnce]);
  propose(cluster, 1, OPEN);
  propose(cluster, 1, inSession(1, 1, createVm("a", 1)), inSession(1, 2, deleteVm("a")));
  propose(
    cluster,
    1,
    inSession(1, 1, createVm("a", 1)),
    inSession(1, 2, deleteVm("a")),
    inSession(1, 3, createVm("a", 2), 3),
  );
  propose(cluster, 1, inSession(1, 1, createVm("a", 1)));
  cluster.oracles.finished();
  expect(cluster.violations).toEqual([]);
  expect(cluster.oracle("exactly-once").checks).toBe(3);
});

test("a state machine that forgets its sessions applies a retry again", () => {
  const cluster = new FakeCluster(1, [forgetful]);
  propose(cluster, 1, OPEN);
  propose(cluster, 1, inSession(1, 1, createVm("a", 1)), inSession(1, 2, deleteVm("a")));
  propose(cluster, 1, inSession(1, 1, createVm("a", 1)));
  expect(cluster.violations).toHaveLength(1);
  expect(cluster.violations[0]).toContain(
    "exactly-once: entry 4 repeats request 1 of session 1 (first entry 2, first committed by node 1 at event 2, 0.000000 s) and changed a again: null became {",
  );
});

test("requests without a session may happen twice", () => {
  const cluster = new FakeCluster(1, [exactlyOnce]);
  propose(cluster, 1, sessionless(createVm("a", 1)), sessionless(deleteVm("a")));
  propose(cluster, 1, sessionless(createVm("a", 1)), sessionless(deleteVm("a")));
  expect(cluster.violations).toEqual([]);
});

/** The oracle over a replay whose state machine knows no sessions. */
function forgetful(context: OracleContext) {
  const { ledger } = context;
  const reference = new Reference(ledger, DEFAULT_COUNT_LIMITS, (state, entries) => {
    return applyEntries(
      state,
      entries.map((entry) => {
        if ("membership" in entry) return entry;
        const { request } = decodeEntryData(entry.data);
        if (request === undefined) return entry;
        const data = stampRequest(encodeRequest({ ...request, session: null }), { wallMs: entry.index, proposer: 1 });
        return { ...entry, data };
      }),
    );
  });
  return exactlyOnce({ ...context, reference, sessions: new SessionBook(ledger) });
}
