/**
 * Draws a fault schedule from a seed. Each part has a stream of its own: when one kind of fault is taken out of a
 * scenario, or a node is added, the other faults happen as before.
 */
import { drawLiar } from "../byzantine/index.ts";
import { drawParameter, type FaultKind, faultNamed, type ParameterValue, type PlannedFault } from "../faults/index.ts";
import { drawRange, type Range, type Stream, Streams } from "../random/index.ts";
import type { BaseConditions, LinkConditions, OddLink } from "../world/index.ts";
import type { FaultMix, NetworkRanges, Scenario } from "./scenario.ts";
import { type FaultSchedule, SCHEDULE_LIMITS } from "./schedule.ts";

/** SSDs; capacity of disks is no fault of its own. */
const DISK_BYTES_PER_SECOND = 200_000_000;
/** Ids of faults of one kind in a mix lie in a row, far from those of the next: they do not depend on each other. */
const IDS_PER_MIX = 100_000;

export interface ScheduleShape {
  readonly seed: number;
  /** Null: as the scenario has it. */
  readonly nodes: number | null;
  readonly durationMs: number | null;
}

export function drawSchedule(scenario: Scenario, shape: ScheduleShape): FaultSchedule {
  const { seed } = shape;
  const streams = new Streams(seed);
  // Drawn even when it is given, so that all later draws stay the same.
  const drawn = streams.stream("plan/nodes").pick(scenario.nodes);
  const nodes = shape.nodes ?? drawn;
  const durationMs = shape.durationMs ?? scenario.durationMs;
  const base = drawBase(scenario, nodes, streams);
  const faults = scenario.faults.flatMap((mix, at) => drawFaults(mix, at, durationMs, streams));
  faults.sort((a, b) => a.atMs - b.atMs || a.id - b.id);
  return {
    version: 1,
    scenario: scenario.name,
    seed,
    nodes,
    durationMs,
    base,
    liar:
      scenario.liar &&
      drawLiar(scenario.liar, { nodes, spares: scenario.spares, durationMs }, streams.stream("plan/liar")),
    faults: faults.slice(0, SCHEDULE_LIMITS.faults),
  };
}

function drawBase(scenario: Scenario, nodes: number, streams: Streams): BaseConditions {
  const hosts = nodes + scenario.spares;
  const workers = scenario.fleet?.workers ?? 0;
  const rng = streams.stream("plan/base");
  const network = drawLink(scenario.network, rng);
  const links: OddLink[] = [];
  if (hosts > 1) {
    for (let count = drawRange(scenario.network.oddLinks, rng, true); count > 0; count -= 1) {
      const from = rng.integer(1, hosts);
      const to = rng.integer(1, hosts - 1);
      links.push({ from, to: to < from ? to : to + 1, ...drawLink(scenario.network, rng) });
    }
  }
  const { syncMinMs, syncMeanMs } = scenario.disk;
  const disk = {
    syncMinMs: drawRange(syncMinMs, rng, false),
    syncMeanMs: drawRange(syncMeanMs, rng, false),
    throughputBytesPerSecond: DISK_BYTES_PER_SECOND,
  };
  const clocks = Array.from({ length: hosts + workers }, (_, host) => {
    const clockRng = streams.stream(`plan/clock/${host + 1}`);
    return {
      wallOffsetMs: drawRange(scenario.clocks.wallOffsetMs, clockRng, true),
      rate: drawRange(scenario.clocks.rate, clockRng, false),
    };
  });
  return { network, links, byteLinksOneIn: scenario.byteLinksOneIn, clocks, disk };
}

function drawLink(ranges: NetworkRanges, rng: Stream): LinkConditions {
  return {
    lossChance: drawRange(ranges.lossChance, rng, false),
    duplicateChance: drawRange(ranges.duplicateChance, rng, false),
    delayMinMs: drawRange(ranges.delayMinMs, rng, false),
    delayMeanMs: drawRange(ranges.delayMeanMs, rng, false),
    tailChance: drawRange(ranges.tailChance, rng, false),
    tailFactor: drawRange(ranges.tailFactor, rng, false),
    capacityBytesPerSecond: null,
    queueBytes: null,
  };
}

function drawFaults(mix: FaultMix, at: number, durationMs: number, streams: Streams): PlannedFault[] {
  const kind = faultNamed(mix.kind);
  if (kind === null) throw new RangeError(`there is no fault ${mix.kind}`);
  const rng = streams.stream(`plan/fault/${at}/${mix.kind}`);
  const faults: PlannedFault[] = [];
  if (!rng.chance(mix.odds ?? 1)) return faults;
  const everyMs = drawRange(mix.everyMs, rng, false);
  let atMs = rng.exponential(everyMs);
  while (atMs < durationMs && faults.length < IDS_PER_MIX) {
    faults.push({
      id: at * IDS_PER_MIX + faults.length,
      atMs: Math.round(atMs * 1000) / 1000,
      kind: mix.kind,
      durationMs: drawRange(durationOf(mix, kind, rng), rng, false),
      target: rng.pick(mix.targets ?? ["any"]),
      parameters: drawParameters(kind, mix, rng),
    });
    atMs += rng.exponential(everyMs);
  }
  return faults;
}

function durationOf({ durationMs, durationsMs }: FaultMix, kind: FaultKind, rng: Stream): Range {
  return durationsMs === undefined ? (durationMs ?? kind.durationMs) : rng.pick(durationsMs);
}

function drawParameters(kind: FaultKind, mix: FaultMix, rng: Stream): Readonly<Record<string, ParameterValue>> {
  const parameters: Record<string, ParameterValue> = {};
  for (const [name, spec] of Object.entries(kind.parameters)) {
    const narrowed = mix.parameters?.[name];
    if (narrowed === undefined) parameters[name] = drawParameter(spec, rng);
    else if (isRange(narrowed)) parameters[name] = drawRange(narrowed, rng, "whole" in spec && spec.whole === true);
    else parameters[name] = rng.pick(narrowed);
  }
  return parameters;
}

function isRange(value: readonly [number, number] | readonly string[]): value is readonly [number, number] {
  return typeof value[0] === "number";
}
