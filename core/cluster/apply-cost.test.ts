/** That one entry touches what it changes and shares the rest, whatever the state holds. Structure, not clocks. */
import { describe, expect, test } from "vitest";
import {
  applyEntries,
  type ClusterState,
  type Command,
  type CommandEntry,
  emptyState,
  encodeRequest,
  stampRequest,
  vmSpec,
} from "./index.ts";
import { leavesOf, type Table } from "./table.ts";

const spec = vmSpec();

function entry(index: number, command: Command, session: { id: number; sequence: number } | null = null): CommandEntry {
  const named = session === null ? null : { ...session, lowestUnacknowledged: session.sequence };
  return {
    index,
    term: 1,
    data: stampRequest(encodeRequest({ session: named, command }), { wallMs: index, proposer: 1 }),
  };
}

/** 5,000 VMs, 500 sessions. */
function filled(): ClusterState {
  const entries: CommandEntry[] = [];
  for (let i = 1; i <= 5000; i++) entries.push(entry(i, { kind: "createVm", name: `vm-${i}`, spec }));
  for (let i = 5001; i <= 5500; i++) entries.push(entry(i, { kind: "openSession", clientToken: `client-${i}` }));
  return applyEntries(emptyState(), entries).state;
}

/** How many leaves are other objects than before, and the length of the longest. */
function changed<K, V>(before: Table<K, V>, after: Table<K, V>): { leaves: number; leafSizeMax: number } {
  const known = new Set(leavesOf(before));
  let leaves = 0;
  let leafSizeMax = 0;
  for (const leaf of leavesOf(after)) {
    if (!known.has(leaf)) leaves++;
    leafSizeMax = Math.max(leafSizeMax, leaf.keys.length);
  }
  return { leaves, leafSizeMax };
}

describe("what one entry copies", () => {
  const before = filled();

  test("a change of a VM in a session: one leaf of each", () => {
    const command: Command = { kind: "updateVm", name: "vm-77", expectedGeneration: 1, spec };
    const { state } = applyEntries(before, [entry(6000, command, { id: 5001, sequence: 1 })]);
    expect(changed(before.vms, state.vms)).toMatchObject({ leaves: 1 });
    expect(changed(before.sessions, state.sessions)).toMatchObject({ leaves: 1 });
    expect(state.sessionIds).toBe(before.sessionIds);
    expect(state.sessionFloors).toBe(before.sessionFloors);
  });

  test("a refusal: nothing but the counters", () => {
    const { state } = applyEntries(before, [entry(6000, { kind: "createVm", name: "vm-77", spec })]);
    expect(state.vms).toBe(before.vms);
    expect(state.sessions).toBe(before.sessions);
    expect(state.appliedIndex).toBe(6000);
  });

  test("no entries: nothing", () => {
    expect(applyEntries(before, []).state).toBe(before);
  });

  test("a VM that comes and goes within a batch leaves no trace", () => {
    const { state } = applyEntries(before, [
      entry(6000, { kind: "createVm", name: "short-lived", spec }),
      entry(6001, { kind: "deleteVm", name: "short-lived", expectedGeneration: 1 }),
    ]);
    expect(state.vms).toBe(before.vms);
    expect(state.vmCount).toBe(before.vmCount);
  });

  test("names spread: no leaf is long", () => {
    expect(changed(before.vms, before.vms).leafSizeMax).toBeLessThanOrEqual(8);
    expect(changed(before.sessions, before.sessions).leafSizeMax).toBeLessThanOrEqual(2);
  });
});
