/** Requests that no node takes: each breaks one rule. */
import { type VmSpec, vmSpec } from "../../../core/index.ts";
import { type Aim, write } from "./aim.ts";

/** Of some more than `kibibytes`. */
function largeSpec(kibibytes: number): VmSpec {
  const pairs = Array.from({ length: kibibytes }, (_, at) => [`key-${at}`, "x".repeat(1024)]);
  return vmSpec({ metadata: Object.fromEntries(pairs) });
}

export const invalidAims: readonly Aim[] = [
  write("invalidRequest", 1, ({ rng }) => ({
    kind: "createVm",
    name: rng.pick(["", "Upper", "-edge", "edge-", "under_score", "a".repeat(64), "with space", "__proto__"]),
    spec: vmSpec(),
  })),
  write("invalidRequest", 1, ({ rng, names }) => ({
    kind: "createVm",
    name: rng.pick(names),
    spec: vmSpec(rng.pick([{ vcpus: 0 }, { memoryMiB: 0.5 }, { priority: 1001 }, { tenant: "" }, { diskGiB: -1 }])),
  })),
  write("invalidRequest", 1, ({ rng, names }) => ({
    kind: "updateVm",
    name: rng.pick(names),
    expectedGeneration: rng.pick([0, -1, 1.5]),
    spec: vmSpec(),
  })),
  // Larger than some clusters allow; and larger than any does.
  write("requestTooLarge", 1, ({ names, rng }) => ({ kind: "createVm", name: rng.pick(names), spec: largeSpec(20) })),
  write("invalidRequest", 1, ({ names, rng }) => ({
    kind: "createVm",
    name: rng.pick(names),
    spec: largeSpec(64),
  })),
];
