/** A scenario is data: the shape of a cluster, what its clients and its operator do, and which faults a seed draws. */

import { type CountLimits, LEVEL, type RaftOptions } from "../../core/index.ts";
import type { LiarShape } from "../byzantine/index.ts";
import type { FleetShape } from "../fleet/index.ts";
import type { Range } from "../random/index.ts";
import {
  type DoorShape,
  IDLE_OPERATOR,
  type OperatorShape,
  STEADY_WORKLOAD,
  type WorkloadShape,
} from "../workload/index.ts";
import type { Variety } from "./variety.ts";

/** Ordinary conditions of all links; each is drawn once for a seed. */
export interface NetworkRanges {
  readonly lossChance: Range;
  readonly duplicateChance: Range;
  readonly delayMinMs: Range;
  readonly delayMeanMs: Range;
  readonly tailChance: Range;
  readonly tailFactor: Range;
  /** Links that have conditions of their own, drawn from the same ranges. */
  readonly oddLinks: Range;
}

export interface DiskRanges {
  readonly syncMinMs: Range;
  readonly syncMeanMs: Range;
}

export interface ClockRanges {
  readonly wallOffsetMs: Range;
  /** Clock seconds per true second. */
  readonly rate: Range;
}

/** A kind of fault as a scenario mixes it in. What is left out is drawn from the fault's own ranges. */
export interface FaultMix {
  readonly kind: string;
  /** Share of seeds in which it happens at all. 1 unless given. */
  readonly odds?: number;
  /** Mean time between one and the next, drawn once for a seed; the times between are exponential. */
  readonly everyMs: Range;
  readonly durationMs?: Range;
  /** In place of `durationMs`: for each fault one of these is picked, and a duration drawn from it. */
  readonly durationsMs?: readonly Range[];
  /** Whom it may hit; one is drawn for each fault. "any" unless given. */
  readonly targets?: readonly ("any" | "leader" | "follower" | "all" | "worker")[];
  /** Narrower ranges, or fewer choices. */
  readonly parameters?: Readonly<Record<string, Range | readonly string[]>>;
}

/** What is known to be missing in the core: a scenario that shows it fails until it is there. */
export interface ExpectedFailure {
  /** The oracle that finds it. Whatever another finds is a failure as everywhere. */
  readonly oracle: string;
  /** What has to come, as the end of "fails until". */
  readonly until: string;
}

export interface Scenario {
  readonly name: string;
  /** Exactly two sentences. */
  readonly summary: string;
  /** First members: a seed picks one. */
  readonly nodes: readonly number[];
  /** Further hosts, where members may be added. */
  readonly spares: number;
  /** How long faults happen. */
  readonly durationMs: number;
  /** How soon after the last fault the cluster must be live. */
  readonly livenessBoundMs: number;
  /** Overrides of the defaults. */
  readonly raft: Partial<RaftOptions>;
  /** Of what the replicated state holds; what is left out is as in a real cluster. */
  readonly limits: Partial<CountLimits>;
  readonly network: NetworkRanges;
  /** On average one link in this many carries bytes; 0 for none. */
  readonly byteLinksOneIn: number;
  readonly disk: DiskRanges;
  readonly clocks: ClockRanges;
  readonly workload: WorkloadShape;
  readonly operator: OperatorShape;
  /** Who makes tokens and who tries to join with them; null: nobody. */
  readonly door: DoorShape | null;
  readonly faults: readonly FaultMix[];
  /** Hosts that run machines, and who asks for some; null: there are records of VMs alone. */
  readonly fleet: FleetShape | null;
  /** A seed draws one member to lie, and one act for it; null when all are honest. */
  readonly liar: LiarShape | null;
  /** What a seed draws beside the faults; null: nothing. */
  readonly variety: Variety | null;
  /** Whether data may be destroyed on as many hosts as the seed likes, and not only below a quorum. */
  readonly mayLoseQuorum: boolean;
  /** Feature level of the build that the first members run, until they are upgraded. */
  readonly level: number;
  /** Null: it holds with every seed. Otherwise some seeds fail, and a test holds it to that. */
  readonly expectedToFail: ExpectedFailure | null;
}

/** A calm data centre, with a little of everything that is ordinary. */
export const CALM_NETWORK: NetworkRanges = {
  lossChance: [0, 0],
  duplicateChance: [0, 0],
  delayMinMs: [0.1, 0.5],
  delayMeanMs: [0.1, 0.5],
  tailChance: [0, 0.001],
  tailFactor: [10, 50],
  oddLinks: [0, 0],
};

export const CALM_DISKS: DiskRanges = { syncMinMs: [0.2, 0.5], syncMeanMs: [0.05, 0.5] };

/** As ordinary clocks are: within 50 parts in a million, and some seconds off. */
export const CALM_CLOCKS: ClockRanges = { wallOffsetMs: [-2000, 2000], rate: [0.99995, 1.00005] };

/** A scenario from what makes it differ from an ordinary day. */
export function scenario(parts: Pick<Scenario, "name" | "summary"> & Partial<Scenario>): Scenario {
  return {
    nodes: [5],
    spares: 0,
    durationMs: 120_000,
    livenessBoundMs: 30_000,
    raft: {},
    limits: {},
    network: CALM_NETWORK,
    byteLinksOneIn: 8,
    disk: CALM_DISKS,
    clocks: CALM_CLOCKS,
    workload: STEADY_WORKLOAD,
    operator: IDLE_OPERATOR,
    door: null,
    faults: [],
    fleet: null,
    liar: null,
    variety: null,
    mayLoseQuorum: false,
    level: LEVEL,
    expectedToFail: null,
    ...parts,
  };
}
