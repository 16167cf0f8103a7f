import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Entry, HardState, Restored, Snapshot, Write } from "../../core/index.ts";
import { Streams } from "../random/index.ts";
import { CALM_DISK, Disk } from "./disk.ts";

function snapshotAt(index: number, term: number): Snapshot {
  const configuration = { voters: [1, 2, 3], outgoing: [], learners: [], members: [], retired: [] };
  return {
    clusterId: "test",
    incarnation: 1,
    meta: {
      index,
      term,
      chain: `chain ${index}/${term}`,
      configuration,
      configurationIndex: 0,
      lineage: [],
      digest: "",
      chunkCount: 1,
      sizeBytes: 9000,
    },
    chunks: [new Uint8Array([1, 2, 3])],
  };
}

function entriesFrom(index: number, count: number, term: number, bytes = 10): Entry[] {
  return Array.from({ length: count }, (_, i) => ({
    index: index + i,
    term,
    kind: "command" as const,
    data: new Uint8Array(bytes),
    chain: `chain ${index + i}/${term}`,
  }));
}

function hardState(term: number, votedFor: number): HardState {
  return { term, votedFor, proof: null };
}

function empty(): Restored {
  return { hardState: null, snapshot: snapshotAt(0, 0), entries: [] };
}

function diskOf(restored: Restored = empty(), seed = 1): Disk {
  return new Disk(CALM_DISK, restored, new Streams(seed).stream("disk/0"));
}

function write(id: number, parts: Partial<Write>): Write {
  return { id, hardState: null, entries: null, snapshot: null, ...parts };
}

function restoredOf(disk: Disk): Restored {
  const outcome = disk.restore();
  if (outcome.kind !== "restored") throw new Error(outcome.reason);
  return outcome.restored;
}

/** The obvious version: what one more write makes of what is there. */
function fold(before: Restored, { hardState, entries, snapshot }: Write): Restored {
  let kept = before.entries;
  if (snapshot !== null) {
    const keepAfter = snapshot.keepAfter ?? Infinity;
    kept = kept.filter((entry) => entry.index > keepAfter);
  }
  const first = entries?.[0]?.index ?? Infinity;
  return {
    hardState: hardState ?? before.hardState,
    snapshot: snapshot?.snapshot ?? before.snapshot,
    entries: [...kept.filter((entry) => entry.index < first), ...(entries ?? [])],
  };
}

function lastIndexOf({ entries, snapshot }: Restored): number {
  return entries.at(-1)?.index ?? snapshot.meta.index;
}

/** What a node might write next, given what the disk will hold then. `numbers` are in [0, 1). */
function nextWrite(id: number, state: Restored, numbers: readonly [number, number, number, number]): Write {
  const [what, where, count, size] = numbers;
  const last = lastIndexOf(state);
  const base = state.snapshot.meta.index;
  if (what < 0.15) return write(id, { hardState: hardState(id, Math.floor(3 * where)) });
  if (what < 0.25) {
    // Compaction up to somewhere in the log, with some entries kept behind it.
    const index = base + Math.floor((last - base + 1) * where);
    const keepAfter = Math.max(0, index - Math.floor(4 * count));
    return write(id, { snapshot: { snapshot: snapshotAt(index, id), keepAfter } });
  }
  if (what < 0.3) {
    const entries = size < 0.5 ? entriesFrom(last + 8, 1 + Math.floor(3 * count), id) : null;
    return write(id, {
      snapshot: { snapshot: snapshotAt(last + 7, id), keepAfter: null },
      entries,
      hardState: hardState(id, 0),
    });
  }
  const first = Math.max(base, Math.floor(last - 4 * where)) + 1;
  const bytes = size < 0.2 ? 10_000 : 10;
  return write(id, {
    entries: entriesFrom(first, 1 + Math.floor(3 * count), id, bytes),
    hardState: size > 0.7 ? hardState(id, 1) : null,
  });
}

const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const act = fc.record({
  what: fc.constantFrom("write", "write", "write", "wait", "crash", "stall", "slow", "failSync", "fill"),
  numbers: fc.tuple(unit, unit, unit, unit),
});

describe("a crash", () => {
  test("leaves a prefix of what was written, never shorter than what was reported durable", () => {
    let lost = 0;
    let longer = 0;
    let torn = 0;
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), fc.integer(), (acts, seed) => {
        const disk = diskOf(empty(), seed);
        let nowUs = 0;
        let nextId = 1;
        // states[i] is what the first i writes since the last start make; the first `durable` of them were reported
        // durable.
        let states = [empty()];
        let durable = 0;
        const restart = (): void => {
          const restored = restoredOf(disk);
          const survived = states.findLastIndex((state) => JSON.stringify(state) === JSON.stringify(restored));
          expect(restored).toEqual(states[survived]);
          expect(survived).toBeGreaterThanOrEqual(durable);
          if (survived < states.length - 1) lost += 1;
          if (survived > durable) longer += 1;
          states = [restored];
          durable = 0;
          nextId = 1;
          expect(disk.busy).toBe(false);
        };
        for (const { what, numbers } of acts) {
          const newest = states.at(-1) ?? empty();
          if (what === "write") {
            const next = nextWrite(nextId, newest, numbers);
            nextId += 1;
            disk.submit(next, nowUs);
            states.push(fold(newest, next));
          } else if (what === "wait") {
            nowUs += Math.floor(numbers[0] * 2000);
            while (disk.nextUs <= nowUs) {
              const id = disk.advance(disk.nextUs);
              if (id > 0) {
                expect(id).toBeGreaterThan(durable);
                durable = id;
              }
              const failure = disk.takeFailure();
              if (failure === null) continue;
              expect(failure.writeId).toBe(durable + 1);
              expect(disk.nextUs).toBe(Infinity);
              disk.submit(write(nextId, { hardState: hardState(9999, 9) }), nowUs);
              expect(disk.busy).toBe(false);
              restart();
            }
            const promised = states[durable] ?? empty();
            expect(disk.durableLastIndex).toBe(lastIndexOf(promised));
            expect([disk.durableTerm, disk.durableVote]).toEqual([
              promised.hardState?.term ?? 0,
              promised.hardState?.votedFor ?? 0,
            ]);
            const { snapshot, entries } = promised;
            for (let index = 0; index <= disk.durableLastIndex + 1; index += 1) {
              const stored =
                entries.find((entry) => entry.index === index) ??
                (index === snapshot.meta.index ? snapshot.meta : null);
              expect(disk.durableTermAt(index)).toBe(stored?.term ?? null);
              expect(disk.durableChainAt(index)).toBe(stored?.chain ?? null);
            }
          } else if (what === "crash") {
            const outcome = disk.crash();
            if (outcome.torn) torn += 1;
            expect(outcome.survived + outcome.lost).toBe(states.length - 1 - durable);
            restart();
          } else if (what === "stall") disk.stall(nowUs + Math.floor(3000 * numbers[0]));
          else if (what === "slow") disk.slow(1 + 9 * numbers[0], nowUs + Math.floor(3000 * numbers[1]), nowUs);
          else if (what === "failSync") disk.failNextSync();
          else disk.fill(nowUs + Math.floor(3000 * numbers[0]));
        }
      }),
      { numRuns: 400 },
    );
    // The property would hold of a disk that never loses anything, too.
    expect([lost > 20, longer > 20, torn > 5]).toEqual([true, true, true]);
  });

  test("cuts off every write after the first that is not whole", () => {
    const survivals = new Set<number>();
    for (let seed = 0; seed < 2000; seed += 1) {
      const disk = diskOf(empty(), seed);
      for (let id = 1; id <= 6; id += 1) disk.submit(write(id, { entries: entriesFrom(id, 1, 1) }), 0);
      const { survived, lost } = disk.crash();
      expect([survived + lost, restoredOf(disk).entries.length, disk.durableLastIndex]).toEqual([
        6,
        survived,
        survived,
      ]);
      survivals.add(survived);
    }
    expect(survivals.size).toBe(7);
  });

  test("tears a large write rather than keep part of it", () => {
    let torn = 0;
    for (let seed = 0; seed < 100; seed += 1) {
      const disk = diskOf(empty(), seed);
      disk.submit(write(1, { entries: entriesFrom(1, 8, 1, 20_000) }), 0);
      if (disk.crash().torn) torn += 1;
      expect([0, 8]).toContain(restoredOf(disk).entries.length);
    }
    expect(torn).toBeGreaterThan(30);
  });
});

describe("syncs", () => {
  const steady = { syncMinMs: 1, syncMeanMs: 0, throughputBytesPerSecond: Infinity };
  const steadyDisk = (): Disk => new Disk(steady, empty(), new Streams(1).stream("disk/0"));

  test("what is submitted during one shares the next", () => {
    const disk = steadyDisk();
    disk.submit(write(1, { entries: entriesFrom(1, 1, 1) }), 0);
    disk.submit(write(2, { entries: entriesFrom(2, 1, 1) }), 100);
    disk.submit(write(3, { entries: entriesFrom(3, 1, 1) }), 900);
    expect([disk.nextUs, disk.advance(999), disk.advance(1000), disk.nextUs]).toEqual([1000, 0, 1, 2000]);
    expect(disk.durableLastIndex).toBe(1);
    disk.submit(write(4, { entries: entriesFrom(4, 1, 1) }), 1500);
    expect([disk.advance(2000), disk.durableLastIndex, disk.nextUs]).toEqual([3, 3, 3000]);
    expect([disk.advance(3000), disk.nextUs, disk.busy]).toEqual([4, Infinity, false]);
  });

  test("take as long as their bytes, the slowness and the stall demand", () => {
    const disk = new Disk({ ...steady, throughputBytesPerSecond: 1_000_000 }, empty(), new Streams(1).stream("d"));
    disk.submit(write(1, { entries: entriesFrom(1, 1, 1, 10_000) }), 0);
    expect(disk.nextUs).toBe(1000 + 64 + 64 + 10_000);
    disk.advance(disk.nextUs);
    disk.slow(5, 100_000, 20_000);
    disk.slow(2, 30_000, 20_000);
    disk.submit(write(2, { entries: entriesFrom(2, 1, 1, 0) }), 50_000);
    expect(disk.nextUs).toBe(50_000 + 5 * 1128);
    disk.stall(200_000);
    expect([disk.nextUs, disk.advance(100_000), disk.advance(200_000)]).toEqual([200_000, 0, 2]);
    disk.submit(write(3, { entries: entriesFrom(3, 1, 1, 0) }), 200_000);
    expect(disk.nextUs).toBe(201_128);
    disk.stall(900_000);
    disk.heal(201_000);
    expect(disk.nextUs).toBe(201_128);
    // Over long ago but for the stall: now, and not then.
    disk.stall(900_000);
    disk.heal(300_000);
    expect(disk.nextUs).toBe(300_000);
  });

  test("go on at the ordinary pace when the slowness ends, by itself or by healing", () => {
    const disk = steadyDisk();
    disk.slow(100, 50_000, 0);
    disk.submit(write(1, { entries: entriesFrom(1, 1, 1) }), 0);
    // Half of it in fifty milliseconds.
    expect(disk.nextUs).toBe(50_500);
    expect(disk.hamperedUntilUs).toBe(50_500);
    disk.advance(disk.nextUs);
    disk.slow(100, 500_000, 60_000);
    disk.submit(write(2, { entries: entriesFrom(2, 1, 1) }), 60_000);
    expect(disk.nextUs).toBe(160_000);
    disk.heal(80_000);
    expect([disk.nextUs, disk.hamperedUntilUs]).toEqual([80_800, 0]);
  });

  test("a full disk fails them and keeps nothing of them", () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const disk = new Disk(steady, empty(), new Streams(seed).stream("disk/0"));
      disk.fill(5000);
      disk.submit(write(1, { entries: entriesFrom(1, 1, 1) }), 0);
      disk.submit(write(2, { entries: entriesFrom(2, 1, 1) }), 10);
      expect(disk.advance(1000)).toBe(0);
      expect(disk.takeFailure()).toEqual({ writeId: 1, reason: "disk full" });
      expect(disk.takeFailure()).toBeNull();
      expect(restoredOf(disk)).toEqual(empty());
      disk.submit(write(1, { entries: entriesFrom(1, 1, 1) }), 6000);
      expect(disk.advance(7000)).toBe(1);
    }
  });

  test("after a failed one, what was not durable may be there or not, and nothing more is taken", () => {
    const kept = new Set<number>();
    for (let seed = 0; seed < 50; seed += 1) {
      const disk = new Disk(steady, empty(), new Streams(seed).stream("disk/0"));
      disk.submit(write(1, { entries: entriesFrom(1, 1, 1) }), 0);
      disk.advance(1000);
      disk.failNextSync();
      disk.submit(write(2, { entries: entriesFrom(2, 1, 1) }), 1000);
      expect(disk.advance(2000)).toBe(0);
      expect(disk.takeFailure()).toEqual({ writeId: 2, reason: "fsync failed" });
      disk.submit(write(3, { entries: entriesFrom(3, 1, 1) }), 2000);
      expect(disk.nextUs).toBe(Infinity);
      kept.add(restoredOf(disk).entries.length);
    }
    expect(kept).toEqual(new Set([1, 2]));
  });
});

describe("damage", () => {
  function filled(seed: number): Disk {
    return diskOf({ hardState: hardState(3, 1), snapshot: snapshotAt(10, 2), entries: entriesFrom(8, 9, 3) }, seed);
  }

  test("is found and never read as data, wherever it strikes", () => {
    const hit = new Set<string>();
    for (let seed = 0; seed < 400; seed += 1) {
      const disk = filled(seed);
      const where = disk.flipBit() ?? "";
      hit.add(where);
      const outcome = disk.restore();
      expect(outcome).toEqual({ kind: "damaged", reason: `${where} is damaged: its checksum does not match` });
      expect(disk.damaged).toBe(true);
      for (let index = 8; index <= 16; index += 1) {
        expect(disk.durableTermAt(index)).toBe(where === `entry ${index}` ? null : 3);
        expect(disk.durableChainAt(index) === null).toBe(where === `entry ${index}`);
      }
      disk.crash();
      expect(disk.restore().kind).toBe("damaged");
    }
    expect(hit.size).toBe(11);
  });

  test("of a misdirected write is two records", () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const disk = filled(seed);
      const where = disk.misdirect();
      expect(where).toMatch(/ written over /);
      const outcome = disk.restore();
      if (outcome.kind !== "damaged") throw new Error("not found");
      const entriesHit = (where?.match(/entry/g) ?? []).length;
      const gone = [8, 9, 10, 11, 12, 13, 14, 15, 16].filter((index) => disk.durableTermAt(index) === null);
      expect(gone.length).toBe(entriesHit);
    }
    expect(diskOf().misdirect()).toBeNull();
  });

  test("of a record that is overwritten or removed in time does no harm", () => {
    const overwritten = (parts: Partial<Write>, place: string): void => {
      for (let seed = 0; ; seed += 1) {
        const disk = filled(seed);
        if (disk.flipBit() !== place) continue;
        disk.submit(write(1, parts), 0);
        expect(disk.damaged).toBe(true);
        disk.advance(disk.nextUs);
        expect([disk.damaged, disk.restore().kind]).toEqual([false, "restored"]);
        return;
      }
    };
    overwritten({ hardState: hardState(4, 2) }, "the hard state");
    overwritten({ entries: entriesFrom(12, 1, 4) }, "entry 12");
    overwritten({ entries: entriesFrom(12, 1, 4) }, "entry 15");
    overwritten({ snapshot: { snapshot: snapshotAt(14, 3), keepAfter: 13 } }, "entry 13");
    overwritten({ snapshot: { snapshot: snapshotAt(14, 3), keepAfter: 13 } }, "the snapshot");
    overwritten({ snapshot: { snapshot: snapshotAt(90, 4), keepAfter: null } }, "entry 9");
  });

  test("is gone with the disk", () => {
    const disk = filled(1);
    disk.flipBit();
    disk.replace(empty());
    expect(restoredOf(disk)).toEqual(empty());
  });

  test("runs out of records to hit", () => {
    const disk = diskOf();
    expect([disk.flipBit(), disk.flipBit()]).toEqual(["the snapshot", null]);
    expect(disk.durableTermAt(0)).toBeNull();
  });
});

test("a read error passes", () => {
  const disk = diskOf();
  disk.failReads(2);
  expect([disk.restore().kind, disk.restore().kind, disk.restore().kind]).toEqual([
    "readError",
    "readError",
    "restored",
  ]);
});

test("a write that leaves a gap in the log is the core's fault, and said", () => {
  for (const parts of [
    { entries: entriesFrom(2, 1, 1) },
    { entries: [...entriesFrom(1, 1, 1), ...entriesFrom(3, 1, 1)] },
    { entries: [] },
  ]) {
    const disk = diskOf();
    disk.submit(write(1, parts), 0);
    expect(() => disk.advance(disk.nextUs)).toThrow(/gap|none/);
  }
});

test("holds what is stored, not what was ever written", () => {
  const disk = diskOf();
  let nowUs = 0;
  for (let id = 1; id <= 20_000; id += 1) {
    const snapshot = id % 500 === 0 ? { snapshot: snapshotAt(id - 1, 1), keepAfter: id - 101 } : null;
    disk.submit(write(id, { entries: entriesFrom(id, 1, 1), snapshot }), nowUs);
    nowUs = disk.nextUs;
    disk.advance(nowUs);
  }
  const { entries } = restoredOf(disk);
  expect([entries[0]?.index, entries.length, disk.durableLastIndex]).toEqual([19_900, 101, 20_000]);
});
