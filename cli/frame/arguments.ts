/** Readers of option values. Each throws Commander's InvalidArgumentError, to which Commander adds the flag's name. */
import { InvalidArgumentError } from "commander";

/** A range of seeds, both ends included. */
export interface SeedRange {
  readonly first: number;
  readonly last: number;
}

/** The `index`th of `count` parts, counted from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

const SEED_FORM = `an integer from 0 to ${Number.MAX_SAFE_INTEGER}, such as 12345`;
const DURATION_FORM = "a number with a unit, such as 90s, 10m, 2h or 1d (ms, s, m, h, d)";
const DURATION_MAX_MS = 365 * 86_400_000;
const UNITS_MS = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

export function parseSeed(text: string): number {
  return integer(text, 0, Number.MAX_SAFE_INTEGER, SEED_FORM);
}

/** The number of voters with which a simulated cluster starts. */
export function parseNodes(text: string): number {
  return integer(text, 1, 7, "an integer from 1 to 7");
}

export function parseNodeId(text: string): number {
  return integer(text, 1, 2_147_483_647, "a node's number, such as 1");
}

export function parseCount(text: string): number {
  return integer(text, 0, Number.MAX_SAFE_INTEGER, "a whole number, such as 2");
}

export function parseJobs(text: string): number {
  return integer(text, 1, 1024, "an integer from 1 to 1024");
}

/** Collects the values of an option that may be repeated. */
export function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

/** A duration in milliseconds, more than 0 and at most a year. */
export function parseDurationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  const unitMs = UNITS_MS.get(match?.[2] ?? "");
  if (match === null || unitMs === undefined) throw new InvalidArgumentError(`Give ${DURATION_FORM}.`);
  const durationMs = Math.round(Number(match[1]) * unitMs);
  if (durationMs < 1 || durationMs > DURATION_MAX_MS) {
    throw new InvalidArgumentError("A duration is at least 1ms and at most 365d.");
  }
  return durationMs;
}

/** One seed, or a range such as 1..1000. */
export function parseSeedRange(text: string): SeedRange {
  const form = "a seed such as 7, or a range such as 1..1000 with both ends included";
  const [first = "", last = first, ...rest] = text.split("..");
  if (rest.length > 0) throw new InvalidArgumentError(`Give ${form}.`);
  const range = {
    first: integer(first, 0, Number.MAX_SAFE_INTEGER, form),
    last: integer(last, 0, Number.MAX_SAFE_INTEGER, form),
  };
  if (range.last < range.first) {
    throw new InvalidArgumentError(`The range ends before it begins: write ${range.last}..${range.first}.`);
  }
  return range;
}

/** A shard such as 3/64: the third of 64 parts. */
export function parseShard(text: string): Shard {
  const form = "PART/PARTS counted from 1, such as 3/64";
  const [part = "", parts = "", ...rest] = text.split("/");
  if (rest.length > 0) throw new InvalidArgumentError(`Give ${form}.`);
  const count = integer(parts, 1, 1_000_000_000, form);
  const index = integer(part, 1, count, form);
  return { index, count };
}

function integer(text: string, min: number, max: number, form: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < min || value > max) {
    throw new InvalidArgumentError(`Give ${form}.`);
  }
  return value;
}
