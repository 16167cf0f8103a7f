/** Numbers for people, the same in every locale. */

const grouping = new Intl.NumberFormat("en-US");

/** 1234567 as 1,234,567. */
export function count(value: number): string {
  return grouping.format(value);
}

/** Three significant digits while that is shorter: 0.42, 7.35, 12.3, 1,234. */
export function brief(value: number): string {
  if (value >= 100) return count(Math.round(value));
  return value.toFixed(value >= 10 ? 1 : 2);
}

/** 12 ms, 1.234 s, 3 min 20 s, 2 h 05 min, 1 d 00 h. */
export function duration(ms: number): string {
  if (ms < 1000) return `${ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const [unitMs, unit, lessMs, less] =
    ms < 3_600_000
      ? ([60_000, "min", 1000, "s"] as const)
      : ms < 86_400_000
        ? ([3_600_000, "h", 60_000, "min"] as const)
        : ([86_400_000, "d", 3_600_000, "h"] as const);
  const rounded = Math.round(ms / lessMs) * lessMs;
  const rest = String(Math.floor((rounded % unitMs) / lessMs)).padStart(2, "0");
  return `${Math.floor(rounded / unitMs)} ${unit} ${rest} ${less}`;
}

/** A moment of real time, to the second, in UTC: 2026-11-24 09:30:00Z. */
export function formatTime(wallMs: number): string {
  return `${new Date(wallMs).toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** A moment of virtual time, to the millisecond: 12.345 s. */
export function moment(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`;
}

/** The shortest form that `parseDurationMs` reads back: 90000 as 90s, 600000 as 10m. */
export function durationArgument(ms: number): string {
  const units = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1000],
  ] as const;
  for (const [unit, unitMs] of units) if (ms % unitMs === 0) return `${ms / unitMs}${unit}`;
  return `${ms}ms`;
}

/** An amount of money in thousandths: 1250 as 1.250. */
export function cost(thousandths: number): string {
  return (thousandths / 1000).toFixed(3);
}

/** "1 seed", "2 seeds". */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** "1 vCPU, 1,024 MiB of memory, 5 GiB of disk". */
export function size({
  vcpus,
  memoryMiB,
  diskGiB,
}: {
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly diskGiB: number;
}): string {
  return `${plural(vcpus, "vCPU")}, ${count(memoryMiB)} MiB of memory, ${count(diskGiB)} GiB of disk`;
}
