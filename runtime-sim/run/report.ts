/** What a run yields: plain values that serialise as JSON. */

import type { Mark } from "../../core/index.ts";
import type { VerdictReport } from "../byzantine/index.ts";
import type { OperationsReport } from "../workload/index.ts";

/** Something that must never happen and did. */
export interface Violation {
  readonly oracle: string;
  /** Number of the event at which it was seen, from 1. */
  readonly event: number;
  /** Virtual time. */
  readonly atMs: number;
  readonly message: string;
  /** The command that runs this again. */
  readonly replay: string;
}

export interface RunReport {
  readonly scenario: string;
  readonly seed: number;
  /** Nothing was violated. An interrupted run is ok as far as it went. */
  readonly ok: boolean;
  /** 16 hex digits over the integers of every event: equal for equal runs. */
  readonly traceHash: string;
  /** First members. */
  readonly nodes: number;
  /** Virtual time that passed, both phases together. */
  readonly virtualMs: number;
  readonly events: number;
  readonly elections: number;
  /** The highest index known to be committed. */
  readonly commits: number;
  readonly operations: OperationsReport;
  readonly messages: {
    readonly sent: number;
    readonly delivered: number;
    /** For whatever reason: chance, a full queue, a partition, damage, a receiver that was down. */
    readonly lost: number;
    readonly duplicated: number;
    /** Delivered through the wire format. */
    readonly asBytes: number;
  };
  /** Fault kind to how often it was injected; what crashes did to disks is counted beside them. */
  readonly faults: Readonly<Record<string, number>>;
  /** Oracle to how often it checked. */
  readonly oracles: Readonly<Record<string, number>>;
  /** What tenants and operators of a fleet asked, with how it ended, to how often: `createVm quotaExceeded`. */
  readonly requests: Readonly<Record<string, number>>;
  /** Of commands that were committed and refused, whoever asked, the leader included: the kind to how often. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Oracle to how often it saw what the scenario is there to show, and what would be a violation elsewhere. */
  readonly shown: Readonly<Record<string, number>>;
  readonly verdicts: readonly VerdictReport[];
  /** Kind of evidence to how often nodes brought it forward. */
  readonly evidence: Readonly<Record<string, number>>;
  /** Mark of the core to how often it was passed; empty unless coverage was asked for. */
  readonly marks: Readonly<Partial<Record<Mark, number>>>;
  readonly violations: readonly Violation[];
  /** There are violations, the scenario is known to have them, and this is until when; null otherwise. */
  readonly expectedUntil: string | null;
  /** Why a cluster that did not live again is excused, proven by code; null when it was live, or is not excused. */
  readonly excused: string | null;
  readonly interrupted: boolean;
}
