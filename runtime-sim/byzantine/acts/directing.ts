/**
 * Lies to hosts that run machines, and in their names. A worker reports to any server and believes what answers that
 * report: nothing in a directive is signed.
 */
import {
  type Assignment,
  type Details,
  type Directive,
  decodeReport,
  encodeReport,
  LEASE_TTL_MS,
  type NodeId,
  type Report,
} from "../../../core/index.ts";
import type { Act } from "../lie.ts";

type Granted = Extract<Directive, { readonly kind: "granted" }>;

const NO_DETAILS: Details = { vms: [], tasks: [] };

/** A lease for that report, by nobody's leave. */
function lease({ workerId, bootId, sequence, inventoryVersion }: Report, servers: readonly NodeId[]): Granted {
  return {
    kind: "granted",
    workerId,
    bootId,
    sequence,
    leaseTtlMs: LEASE_TTL_MS,
    assignment: null,
    details: NO_DETAILS,
    inventoryVersion,
    servers,
  };
}

export const workerLease: Act = (speaker) => {
  /** They report to nobody else, and the leader hears no more of them. */
  const captured = new Set<NodeId>();
  return {
    answers(_node, report) {
      if (!captured.has(report.workerId) && !speaker.tempted()) return null;
      captured.add(report.workerId);
      return lease(report, [speaker.self.id]);
    },
  };
};

export const workerAssignment: Act = (speaker) => {
  const { rng } = speaker;
  /** What other workers were told to run, and how. */
  const overheard = new Map<NodeId, { readonly assignment: Assignment; readonly details: Details }>();
  return {
    overhears(directive) {
      if (directive.kind !== "granted" || directive.assignment === null) return;
      const { workerId, assignment, details } = directive;
      const before = overheard.get(workerId)?.details.vms ?? [];
      overheard.set(workerId, { assignment, details: { vms: [...details.vms, ...before].slice(0, 32), tasks: [] } });
    },
    answers(node, report) {
      if (!speaker.tempted()) return null;
      const others = [...overheard].filter(([id]) => id !== report.workerId).map(([, told]) => told);
      // Newer than all that the worker has, and than what it will hear for a while.
      const index = node.log.lastIndex + rng.integer(1, 20);
      const told = others.length > 0 && rng.chance(0.7) ? rng.pick(others) : null;
      const vms = told?.assignment.vms ?? [];
      const details = told?.details ?? NO_DETAILS;
      return { ...lease(report, node.configuration.voters), assignment: { index, vms, tasks: [] }, details };
    },
  };
};

export const workerStale: Act = (speaker) => ({
  /** The lease is a true one, and the news are left out. */
  directs(directive) {
    if (directive.kind !== "granted" || directive.assignment === null || !speaker.tempted()) return null;
    return { ...directive, assignment: null, details: NO_DETAILS };
  },
});

export const workerRemoval: Act = (speaker) => ({
  answers(_node, { workerId, bootId, sequence }) {
    return speaker.tempted() ? { kind: "removed", workerId, bootId, sequence } : null;
  },
});

export const workerSilence: Act = (speaker) => ({
  answers() {
    return speaker.tempted() ? "silence" : null;
  },
});

export const falseReport: Act = (speaker) => {
  const { rng } = speaker;
  const told = new Set<number>();

  /** Nothing is left there, or everything runs. */
  function falsified(report: Report): Report {
    const { inventory, inventoryVersion } = report;
    if (inventory === null || rng.chance(0.5))
      return { ...report, inventoryVersion: inventoryVersion + 1, inventory: { machines: [], jobs: [] } };
    const machines = inventory.machines.map((machine) => ({ ...machine, phase: "running" as const, reason: "" }));
    return { ...report, inventory: { ...inventory, machines } };
  }

  return {
    instead(_node, message) {
      if (message.type !== "report" || !speaker.tempted()) return message;
      const report = decodeReport(message.data);
      if (report === null) return message;
      told.add(message.requestId);
      return speaker.lie({ ...message, data: encodeReport(falsified(report)) });
    },
    heard(_from, message) {
      // A leader answers what it has let its orchestrator hear.
      if (message.type === "directive" && told.delete(message.requestId) && message.data !== null) speaker.convinced();
      return message;
    },
  };
};
