import { expect, test } from "vitest";
import { Run } from "../runtime-sim/index.ts";
import splitBrainVm from "./split-brain-vm.ts";

/**
 * With slow disks replicas apply many entries at a time. In this run one batch holds both the loss of a worker, by
 * which its VMs leave it, and its next registration: judged by the state after the batch, VMs would have left a worker
 * that is online.
 */
test("what leaves a lost worker is judged by the state of that entry, not by that of the batch", () => {
  const slow = { ...splitBrainVm, disk: { syncMinMs: [20, 20], syncMeanMs: [20, 300] } } as const;
  const run = new Run(slow, { seed: 110 });
  while (!run.advance(100_000));
  expect(run.report().violations).toEqual([]);
  expect(run.report().oracles["seen-gone"]).toBeGreaterThan(0);
});
