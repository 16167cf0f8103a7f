/** Reads a fault schedule from anywhere: every field is looked at before any of it is used. */

import { ACT_NAMES, type PlannedLiar } from "../byzantine/index.ts";
import {
  FAULTS,
  type FaultKind,
  type FaultTarget,
  faultNamed,
  type ParameterSpec,
  type ParameterValue,
  type PlannedFault,
} from "../faults/index.ts";
import type { DiskSettings } from "../hardware/index.ts";
import type { ClockConditions, LinkConditions, OddLink } from "../world/index.ts";
import { type FaultSchedule, SCHEDULE_LIMITS } from "./schedule.ts";

/** A schedule that cannot be used: which field, and what it should be. */
export class FaultScheduleError extends Error {
  /** Where, such as `faults[3].parameters.chance`. Empty for the schedule as a whole. */
  readonly field: string;
  /** What may stand there. */
  readonly limit: string;

  constructor(field: string, limit: string, found: unknown) {
    super(`${field === "" ? "the fault schedule" : field} must be ${limit}, not ${shown(found)}`);
    this.name = "FaultScheduleError";
    this.field = field;
    this.limit = limit;
  }
}

function shown(value: unknown): string {
  if (value === undefined) return "missing";
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

type Fields = Readonly<Record<string, unknown>>;

/** @throws FaultScheduleError naming the first field that is not as it should be. */
export function parseFaultSchedule(json: unknown): FaultSchedule {
  const schedule = object(json, "", ["version", "scenario", "seed", "nodes", "durationMs", "base", "liar", "faults"]);
  if (schedule["version"] !== 1) throw new FaultScheduleError("version", "1", schedule["version"]);
  const nodes = whole(schedule["nodes"], "nodes", 1, SCHEDULE_LIMITS.nodes);
  const base = object(schedule["base"], "base", ["network", "links", "byteLinksOneIn", "clocks", "disk"]);
  const clocks = list(base["clocks"], "base.clocks", SCHEDULE_LIMITS.hosts).map((clock, at) =>
    parseClock(clock, `base.clocks[${at}]`),
  );
  if (clocks.length < nodes)
    throw new FaultScheduleError("base.clocks", `one for each host, ${nodes} or more`, clocks.length);
  const hosts = clocks.length;
  const ids = new Set<number>();
  return {
    version: 1,
    scenario: text(schedule["scenario"], "scenario"),
    seed: whole(schedule["seed"], "seed", Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    nodes,
    durationMs: number(schedule["durationMs"], "durationMs", 0, SCHEDULE_LIMITS.durationMs),
    base: {
      network: parseLink(object(base["network"], "base.network", LINK_FIELDS), "base.network"),
      links: list(base["links"], "base.links", SCHEDULE_LIMITS.links).map((link, at) =>
        parseOddLink(link, `base.links[${at}]`, hosts),
      ),
      byteLinksOneIn: whole(base["byteLinksOneIn"], "base.byteLinksOneIn", 0, 1_000_000),
      clocks,
      disk: parseDisk(base["disk"], "base.disk"),
    },
    liar: parseLiar(schedule["liar"], hosts),
    faults: list(schedule["faults"], "faults", SCHEDULE_LIMITS.faults).map((fault, at) => {
      const parsed = parseFault(fault, `faults[${at}]`, hosts);
      if (ids.has(parsed.id))
        throw new FaultScheduleError(`faults[${at}].id`, "an id that no other fault has", parsed.id);
      ids.add(parsed.id);
      return parsed;
    }),
  };
}

const LINK_FIELDS = [
  "lossChance",
  "duplicateChance",
  "delayMinMs",
  "delayMeanMs",
  "tailChance",
  "tailFactor",
  "capacityBytesPerSecond",
  "queueBytes",
] as const;

function parseLink(link: Fields, field: string): LinkConditions {
  const bytes = (name: string): number | null =>
    link[name] === null ? null : number(link[name], `${field}.${name}`, 1, 1e15, "null or ");
  return {
    lossChance: number(link["lossChance"], `${field}.lossChance`, 0, 1),
    duplicateChance: number(link["duplicateChance"], `${field}.duplicateChance`, 0, 1),
    delayMinMs: number(link["delayMinMs"], `${field}.delayMinMs`, 0, 3_600_000),
    delayMeanMs: number(link["delayMeanMs"], `${field}.delayMeanMs`, 0, 3_600_000),
    tailChance: number(link["tailChance"], `${field}.tailChance`, 0, 1),
    tailFactor: number(link["tailFactor"], `${field}.tailFactor`, 1, 1_000_000),
    capacityBytesPerSecond: bytes("capacityBytesPerSecond"),
    queueBytes: bytes("queueBytes"),
  };
}

function parseOddLink(json: unknown, field: string, hosts: number): OddLink {
  const link = object(json, field, ["from", "to", ...LINK_FIELDS]);
  return {
    from: whole(link["from"], `${field}.from`, 1, hosts),
    to: whole(link["to"], `${field}.to`, 1, hosts),
    ...parseLink(link, field),
  };
}

function parseClock(json: unknown, field: string): ClockConditions {
  const clock = object(json, field, ["wallOffsetMs", "rate"]);
  return {
    wallOffsetMs: number(clock["wallOffsetMs"], `${field}.wallOffsetMs`, -1e12, 1e12),
    rate: number(clock["rate"], `${field}.rate`, 0.01, 100),
  };
}

function parseDisk(json: unknown, field: string): DiskSettings {
  const disk = object(json, field, ["syncMinMs", "syncMeanMs", "throughputBytesPerSecond"]);
  return {
    syncMinMs: number(disk["syncMinMs"], `${field}.syncMinMs`, 0, 60_000),
    syncMeanMs: number(disk["syncMeanMs"], `${field}.syncMeanMs`, 0, 60_000),
    throughputBytesPerSecond: number(disk["throughputBytesPerSecond"], `${field}.throughputBytesPerSecond`, 1, 1e15),
  };
}

function parseLiar(json: unknown, hosts: number): PlannedLiar | null {
  if (json === null) return null;
  const liar = object(json, "liar", ["host", "act", "fromMs", "untilMs", "chance", "audience"]);
  const act = ACT_NAMES.find((name) => name === liar["act"]);
  if (act === undefined) throw new FaultScheduleError("liar.act", `one of ${ACT_NAMES.join(", ")}`, liar["act"]);
  return {
    host: whole(liar["host"], "liar.host", 1, hosts),
    act,
    fromMs: number(liar["fromMs"], "liar.fromMs", 0, SCHEDULE_LIMITS.durationMs),
    untilMs: number(liar["untilMs"], "liar.untilMs", 0, SCHEDULE_LIMITS.durationMs),
    chance: number(liar["chance"], "liar.chance", 0, 1),
    audience: whole(liar["audience"], "liar.audience", 1, SCHEDULE_LIMITS.nodes),
  };
}

function parseFault(json: unknown, field: string, hosts: number): PlannedFault {
  const fault = object(json, field, ["id", "atMs", "kind", "durationMs", "target", "parameters"]);
  const name = text(fault["kind"], `${field}.kind`);
  const kind = faultNamed(name);
  if (kind === null) {
    throw new FaultScheduleError(`${field}.kind`, `one of ${FAULTS.map((known) => known.name).join(", ")}`, name);
  }
  return {
    id: whole(fault["id"], `${field}.id`, 0, Number.MAX_SAFE_INTEGER),
    atMs: number(fault["atMs"], `${field}.atMs`, 0, SCHEDULE_LIMITS.durationMs),
    kind: name,
    durationMs: number(fault["durationMs"], `${field}.durationMs`, 0, SCHEDULE_LIMITS.durationMs),
    target: parseTarget(fault["target"], `${field}.target`, hosts),
    parameters: parseParameters(fault["parameters"], `${field}.parameters`, kind),
  };
}

const TARGETS = ["any", "leader", "follower", "all", "worker"] as const;

function parseTarget(json: unknown, field: string, hosts: number): FaultTarget {
  const named = TARGETS.find((target) => target === json);
  if (named !== undefined) return named;
  const limit = `${TARGETS.map((target) => `"${target}"`).join(", ")}, or a list of hosts, 1 to ${hosts}`;
  if (!Array.isArray(json) || json.length === 0) throw new FaultScheduleError(field, limit, json);
  return list(json, field, hosts).map((host, at) => whole(host, `${field}[${at}]`, 1, hosts));
}

function parseParameters(json: unknown, field: string, kind: FaultKind): Readonly<Record<string, ParameterValue>> {
  const names = Object.keys(kind.parameters);
  const given = object(json, field, names);
  const parameters: Record<string, ParameterValue> = {};
  for (const [name, spec] of Object.entries(kind.parameters)) {
    parameters[name] = parseParameter(given[name], `${field}.${name}`, spec);
  }
  return parameters;
}

function parseParameter(json: unknown, field: string, spec: ParameterSpec): ParameterValue {
  if ("choices" in spec) {
    const chosen = spec.choices.find((choice) => choice === json);
    if (chosen === undefined) throw new FaultScheduleError(field, `one of ${spec.choices.join(", ")}`, json);
    return chosen;
  }
  const [lowest, highest] = spec.limits;
  return spec.whole === true ? whole(json, field, lowest, highest) : number(json, field, lowest, highest);
}

/** An object with exactly these fields. */
function object(json: unknown, field: string, names: readonly string[]): Fields {
  if (!isFields(json)) throw new FaultScheduleError(field, "an object", json);
  const prefix = field === "" ? "" : `${field}.`;
  for (const name of names) {
    if (!Object.hasOwn(json, name)) throw new FaultScheduleError(`${prefix}${name}`, "there", undefined);
  }
  for (const name of Object.keys(json)) {
    if (!names.includes(name)) {
      throw new FaultScheduleError(`${prefix}${name}`, `left out: known are ${names.join(", ") || "none"}`, json[name]);
    }
  }
  return json;
}

function isFields(json: unknown): json is Fields {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function list(json: unknown, field: string, most: number): readonly unknown[] {
  if (!Array.isArray(json)) throw new FaultScheduleError(field, `a list of at most ${most}`, json);
  if (json.length > most) throw new FaultScheduleError(field, `a list of at most ${most}`, json.length);
  return json;
}

function text(json: unknown, field: string): string {
  if (typeof json !== "string" || json.length > 200)
    throw new FaultScheduleError(field, "a text of at most 200 characters", json);
  return json;
}

function number(json: unknown, field: string, lowest: number, highest: number, prefix = ""): number {
  if (typeof json !== "number" || !(json >= lowest && json <= highest)) {
    throw new FaultScheduleError(field, `${prefix}a number from ${lowest} to ${highest}`, json);
  }
  return json;
}

function whole(json: unknown, field: string, lowest: number, highest: number): number {
  if (typeof json !== "number" || !Number.isSafeInteger(json) || json < lowest || json > highest) {
    throw new FaultScheduleError(field, `a whole number from ${lowest} to ${highest}`, json);
  }
  return json;
}
