import { expect, test } from "vitest";
import { NOBODY, type SnapshotMeta } from "./records.ts";
import { SnapshotAssembly } from "./snapshot-assembly.ts";

const meta: SnapshotMeta = {
  index: 10,
  term: 2,
  chain: "chain",
  configuration: { voters: [1], outgoing: [], learners: [], members: [], retired: [] },
  configurationIndex: 1,
  lineage: [],
  digest: "digest",
  chunkCount: 3,
  sizeBytes: 3,
};
const chunk = (byte: number): Uint8Array => Uint8Array.of(byte);

test("chunks in order make the whole, once", () => {
  const assembly = new SnapshotAssembly();
  expect(assembly.add(meta, 0, chunk(0), 1)).toEqual({ wanted: 1 });
  expect(assembly.add(meta, 1, chunk(1), 1)).toEqual({ wanted: 2 });
  expect(assembly.add(meta, 2, chunk(2), 1)).toEqual({ chunks: [chunk(0), chunk(1), chunk(2)], from: 1 });
  expect(assembly.add(meta, 2, chunk(2), 1)).toEqual({ wanted: 0 });
});

test("a chunk that comes twice changes nothing", () => {
  const assembly = new SnapshotAssembly();
  assembly.add(meta, 0, chunk(0), 1);
  expect(assembly.add(meta, 0, chunk(9), 1)).toEqual({ wanted: 1 });
  expect(assembly.add(meta, 1, chunk(1), 1)).toEqual({ wanted: 2 });
  expect(assembly.add(meta, 2, chunk(2), 1)).toEqual({ chunks: [chunk(0), chunk(1), chunk(2)], from: 1 });
});

test("a chunk that comes before the wanted one waits for it, in the next process of a simulation too", () => {
  const early = new SnapshotAssembly();
  expect(early.add(meta, 2, chunk(2), 1)).toEqual({ wanted: 0 });
  expect(early.add(meta, 0, chunk(0), 1)).toEqual({ wanted: 1 });
  const assembly = new SnapshotAssembly();
  assembly.restore(early.capture());
  expect(assembly.add(meta, 1, chunk(1), 1)).toEqual({ chunks: [chunk(0), chunk(1), chunk(2)], from: 1 });
});

test("few chunks wait, and none beyond the end", () => {
  const assembly = new SnapshotAssembly();
  const large = { ...meta, chunkCount: 1000 };
  for (let sequence = 999; sequence > 0; sequence--) assembly.add(large, sequence, chunk(1), 1);
  assembly.add(large, 1000, chunk(1), 1);
  expect(assembly.capture()?.early.size).toBe(7);
  expect(assembly.add(large, 0, chunk(0), 1)).toEqual({ wanted: 8 });
});

test("another snapshot starts over", () => {
  const assembly = new SnapshotAssembly();
  assembly.add(meta, 0, chunk(0), 1);
  expect(assembly.add({ ...meta, digest: "another" }, 1, chunk(1), 1)).toEqual({ wanted: 0 });
});

test("a new leader with the same snapshot continues, and then nobody can be blamed for the whole", () => {
  const assembly = new SnapshotAssembly();
  assembly.add(meta, 0, chunk(0), 1);
  assembly.add(meta, 1, chunk(1), 2);
  expect(assembly.add(meta, 2, chunk(2), 2)).toEqual({ chunks: [chunk(0), chunk(1), chunk(2)], from: NOBODY });
});
