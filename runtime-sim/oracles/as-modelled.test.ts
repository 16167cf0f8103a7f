import { expect, test } from "vitest";
import {
  applyEntries,
  type ClusterQuery,
  type ClusterState,
  type Command,
  DEFAULT_COUNT_LIMITS,
  query,
} from "../../core/index.ts";
import { asModelled } from "./as-modelled.ts";
import { Reference } from "./reference.ts";
import {
  applied,
  applyOn,
  call,
  complete,
  createVm,
  deleteVm,
  EXISTS,
  entryAfter,
  FakeCluster,
  inSession,
  propose,
  sessionless,
  updateVm,
} from "./testing/index.ts";

const NAME = "as-modelled";
const TOKEN = "0123456789";
const createToken: Command = {
  kind: "createToken",
  id: TOKEN,
  secretHash: "a".repeat(64),
  purpose: "join",
  ttlMs: 5000,
  nodeId: null,
};

function cluster(): FakeCluster {
  const made = new FakeCluster(2, [asModelled]);
  propose(
    made,
    1,
    sessionless({ kind: "openSession", clientToken: "a" }),
    inSession(1, 1, createVm("a", 1)),
    sessionless(createVm("b", 2)),
    inSession(1, 1, createVm("a", 1)),
    inSession(1, 2, updateVm("a", 3, 1), 2),
    sessionless(createToken),
    { session: null, actor: "somebody", command: deleteVm("b") },
  );
  return made;
}

/** A question to the first node, and its answer after `tamper`. */
function ask(made: FakeCluster, asked: ClusterQuery, tamper: (answer: object) => object = (answer) => answer): void {
  const node = made.node(1);
  const result = { ...query(node.state, asked), ...tamper(query(node.state, asked)) };
  const operation = call(made, { asked: { kind: "read", query: asked, consistency: "stale" } });
  complete(made, operation, { kind: "read", index: node.appliedIndex, result });
}

test("what the core does is what the model does", () => {
  const made = cluster();
  ask(made, { kind: "listVms", limit: 1 });
  ask(made, { kind: "getToken", id: TOKEN });
  ask(made, { kind: "listTenants" });
  ask(made, { kind: "listEvents", afterIndex: 2, limit: 2 });
  made.oracles.finished();
  expect(made.violations).toEqual([]);
  expect(made.oracle(NAME).checks).toBeGreaterThan(15);
});

test("a result that the model does not give", () => {
  const made = cluster();
  const entry = entryAfter(made.node(1), 1, sessionless(createVm("c", 4)));
  applyOn(made, 1, [entry], (node) => {
    node.lastApplied = node.lastApplied.map((item) => ({ ...item, result: EXISTS }));
  });
  expect(made.violations[0]).toContain(`${NAME}: entry 8 gave {"ok":false,"refusal":{"kind":"vmExists"}} on node 1`);
});

test("a page that leaves somebody out", () => {
  const made = cluster();
  propose(made, 1, sessionless(createVm("b", 5)), sessionless(createVm("c", 6)));
  ask(made, { kind: "listVms", limit: 2 }, () => ({ nextAfterName: null }));
  expect(made.violations[0]).toContain('(listVms (stale)) at index 9: .nextAfterName is null, not "b"');
});

test("an event stream that loses an event", () => {
  const made = cluster();
  ask(made, { kind: "listEvents", afterIndex: 0, limit: 100 }, (answer) => ({
    events: "events" in answer && Array.isArray(answer.events) ? answer.events.slice(1) : [],
  }));
  expect(made.violations[0]).toContain("events after 0:");
});

test("an event stream that says that events are gone which must be kept", () => {
  const made = cluster();
  ask(made, { kind: "listEvents", afterIndex: 0, limit: 100 }, () => ({ complete: false, events: [] }));
  expect(made.violations[0]).toContain("is said to be incomplete, although only 6 events happened");
});

test("a read of the past is judged by the past", () => {
  const made = cluster();
  const asked: ClusterQuery = { kind: "getVm", name: "a" };
  const old = query(made.node(1).state, asked);
  propose(made, 1, sessionless(updateVm("a", 9, 2)));
  const operation = call(made, { asked: { kind: "read", query: asked, consistency: "stale" } });
  complete(made, operation, { kind: "read", index: 7, result: old });
  expect(made.violations).toEqual([]);
  complete(made, operation, { kind: "read", index: 8, result: old });
  expect(made.violations[0]).toContain("(getVm a (stale)) at index 8:");
});

test("a state that has gone another way in silence", () => {
  const forgets = (state: ClusterState, entries: Parameters<typeof applyEntries>[1]) => {
    const outcome = applyEntries(state, entries);
    return { ...outcome, state: { ...outcome.state, vms: state.vms } };
  };
  const made = new FakeCluster(1, [
    (context) => asModelled({ ...context, reference: new Reference(context.ledger, DEFAULT_COUNT_LIMITS, forgets) }),
  ]);
  propose(made, 1, sessionless(createVm("z", 1)));
  made.oracles.finished();
  expect(made.violations[0]).toContain(
    `${NAME}: in the end VMs are not as the model has them: [0] is undefined, not {`,
  );
});

test("it says nothing of a cluster with workers", () => {
  const made = cluster();
  propose(made, 1, sessionless({ kind: "workerLost", workerId: 7, bootId: 1 }), sessionless(createVm("d", 7)));
  complete(made, call(made, { kind: "create", key: "d", value: 7 }), applied(9, EXISTS));
  made.oracles.finished();
  expect(made.violations).toEqual([]);
});
