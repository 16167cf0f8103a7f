/** Committed commands and what clients make of them, for tests of the oracles. */
import {
  type ApplyResult,
  applyEntries,
  type ClientAnswer,
  type Command,
  type CommandRequest,
  type Entry,
  encodeRequest,
  type ReadConsistency,
  stampRequest,
  type VmRecord,
  vmSpec,
} from "../../../core/index.ts";
import { type Asked, type ClientOperation, VALUE_KEY } from "../../workload/index.ts";
import type { FakeCluster, FakeNode } from "./fake-cluster.ts";

export const specOf = (value: number) => vmSpec({ metadata: { [VALUE_KEY]: String(value) } });

export const createVm = (name: string, value: number): Command => ({ kind: "createVm", name, spec: specOf(value) });

export const updateVm = (name: string, value: number, expectedGeneration: number): Command => {
  return { kind: "updateVm", name, expectedGeneration, spec: specOf(value) };
};

export const deleteVm = (name: string, expectedGeneration: number | null = null): Command => {
  return { kind: "deleteVm", name, expectedGeneration };
};

export function inSession(id: number, sequence: number, command: Command, lowestUnacknowledged = 1): CommandRequest {
  return { session: { id, sequence, lowestUnacknowledged }, command };
}

export function sessionless(command: Command): CommandRequest {
  return { session: null, command };
}

/** The entry that would follow the end of the node's log. */
export function entryAfter(node: FakeNode, term: number, request: CommandRequest): Entry {
  const index = node.log.lastIndex + 1;
  const data = stampRequest(encodeRequest(request), { wallMs: 1000 + index, proposer: 1 });
  return { index, term, kind: "command", data, chain: `chain ${index} of ${term}` };
}

/**
 * Appends entries on a node, commits and applies them, all in one step. `tamper` has the last word before the oracles
 * look.
 */
export function applyOn(
  cluster: FakeCluster,
  id: number,
  entries: readonly Entry[],
  tamper: (node: FakeNode) => void = () => {},
): readonly ApplyResult[] {
  let results: readonly ApplyResult[] = [];
  cluster.step(id, (node) => {
    node.log.entries.push(...entries);
    const outcome = applyEntries(
      node.state,
      entries.filter((entry) => entry.kind === "command"),
    );
    results = outcome.results.filter((result) => result !== null);
    node.state = outcome.state;
    node.commitIndex = node.log.lastIndex;
    node.appliedIndex = node.log.lastIndex;
    let at = 0;
    node.lastApplied = entries.map((entry) => {
      return { entry, result: entry.kind === "command" ? (results[at++] ?? null) : null };
    });
    tamper(node);
  });
  return results;
}

/** Proposes on a node, and commits and applies at once. Returns the entries. */
export function propose(cluster: FakeCluster, id: number, ...requests: CommandRequest[]): readonly Entry[] {
  const entries: Entry[] = [];
  const node = cluster.node(id);
  for (const request of requests) {
    entries.push({ ...entryAfter(node, 1, request), index: node.log.lastIndex + 1 + entries.length });
  }
  const numbered = entries.map((entry) => ({ ...entry, chain: `chain ${entry.index} of 1` }));
  applyOn(cluster, id, numbered);
  return numbered;
}

/** A call about one VM, in few words. */
interface VmCall extends Partial<ClientOperation> {
  readonly kind?: "create" | "update" | "delete" | "get";
  readonly key?: string;
  readonly value?: number;
  readonly expectedGeneration?: number | null;
  readonly consistency?: ReadConsistency;
}

function askedBy({ kind = "get", key = "vm", value = 0, expectedGeneration = null, consistency }: VmCall): Asked {
  switch (kind) {
    case "create":
      return { kind: "write", command: createVm(key, value) };
    case "update":
      return { kind: "write", command: updateVm(key, value, expectedGeneration ?? 1) };
    case "delete":
      return { kind: "write", command: deleteVm(key, expectedGeneration) };
    case "get":
      return { kind: "read", query: { kind: "getVm", name: key }, consistency: consistency ?? "linearizable" };
  }
}

/** A call, which `complete` ends. */
export function call(cluster: FakeCluster, fields: VmCall): ClientOperation {
  const operation: ClientOperation = {
    id: fields.id ?? 1,
    client: 1,
    asked: askedBy(fields),
    session: 0,
    sequence: 0,
    invokedAtMs: cluster.nowMs,
    invokedEvent: cluster.conditions.events,
    completedAtMs: null,
    completedEvent: null,
    outcome: "pending",
    answer: null,
    ...fields,
  };
  cluster.oracles.invoked(operation);
  return operation;
}

/** Ends a call; with null nobody knows how. */
export function complete(cluster: FakeCluster, operation: ClientOperation, answer: ClientAnswer | null): void {
  cluster.nowMs += 1;
  operation.completedAtMs = cluster.nowMs;
  operation.completedEvent = cluster.conditions.events;
  operation.answer = answer;
  if (answer === null) operation.outcome = "unknown";
  else if (answer.kind === "refused" || (answer.kind === "applied" && !answer.result.ok)) operation.outcome = "refused";
  else operation.outcome = "ok";
  cluster.oracles.completed(operation);
}

export const applied = (index: number, result: ApplyResult, term = 1): ClientAnswer => {
  return { kind: "applied", index, term, result };
};

export const read = (index: number, vm: VmRecord | null): ClientAnswer => {
  return { kind: "read", index, result: { kind: "vm", vm } };
};

export const CREATED: ApplyResult = { ok: true, kind: "vmCreated", generation: 1 };
export const EXISTS: ApplyResult = { ok: false, refusal: { kind: "vmExists" } };
export const NOT_FOUND: ApplyResult = { ok: false, refusal: { kind: "vmNotFound" } };
export const updated = (generation: number): ApplyResult => ({ ok: true, kind: "vmUpdated", generation });
export const deleted = (generation: number): ApplyResult => ({ ok: true, kind: "vmDeleted", generation });
