import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashOfText } from "./hash.ts";
import { differences, emptyTable, lookUp, type Table, tableOf, tableValues, withChanges } from "./table.ts";

/** Few hashes, some of them negative as 32-bit integers: keys share leaves, and some share a hash. */
const crowded = (key: string): number => (hashOfText(key) % 5) * 1_000_000_000;
const key = fc.stringMatching(/^[a-e]{1,2}$/);
const changes = fc.array(fc.tuple(key, fc.option(fc.nat(9), { freq: 3 })), { maxLength: 30 });

describe.each([
  ["hashes that spread", hashOfText],
  ["hashes that meet", crowded],
])("a table, with %s,", (_, hashOf) => {
  test("holds what a Map holds, and leaves its predecessors as they were", () => {
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 6 }), (batches) => {
        const map = new Map<string, number>();
        const earlier: { table: Table<string, number>; held: Map<string, number> }[] = [];
        let table: Table<string, number> = emptyTable();
        for (const batch of batches) {
          earlier.push({ table, held: new Map(map) });
          table = withChanges(table, hashOf, batch);
          for (const [name, value] of batch) {
            if (value === null) map.delete(name);
            else map.set(name, value);
          }
        }
        for (const { table: then, held } of [...earlier, { table, held: map }]) {
          for (const [name, value] of held) expect(lookUp(then, hashOf(name), name)).toBe(value);
          expect(lookUp(then, hashOf("nowhere"), "nowhere")).toBeUndefined();
          expect(tableValues(then).sort()).toEqual([...held.values()].sort());
        }
      }),
    );
  });

  test("looks the same however it came about", () => {
    fc.assert(
      fc.property(changes, changes, (detour, last) => {
        const kept = new Map(last.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const])));
        let table = withChanges<string, number>(emptyTable(), hashOf, detour);
        const gone = detour.map(([name]): [string, null] => [name, null]);
        table = withChanges(table, hashOf, [...gone, ...kept]);
        expect(table).toEqual(tableOf(hashOf, [...kept].reverse()));
      }),
    );
  });

  test("tells in what it differs from another one", () => {
    fc.assert(
      fc.property(changes, changes, (first, second) => {
        const value = (name: string, count: number | null) => (count === null ? null : `${name}=${count}`);
        const named = (batch: typeof first) =>
          batch.map(([name, count]): [string, string | null] => [name, value(name, count)]);
        const before = withChanges<string, string>(emptyTable(), hashOf, named(first));
        const after = withChanges(before, hashOf, named(second));
        const names = [...new Set([...first, ...second].map(([name]) => name))];
        const expected = names
          .map((name) => [lookUp(before, hashOf(name), name) ?? null, lookUp(after, hashOf(name), name) ?? null])
          .filter(([one, other]) => one !== other);
        const told = [...differences(before, after)].map((difference) => [difference.before, difference.after]);
        expect(told.sort()).toEqual(expected.sort());
        expect([...differences(after, after)]).toEqual([]);
      }),
    );
  });

  test("is itself when nothing changes", () => {
    const table = tableOf(hashOf, [["a", 1] as const, ["b", 2] as const]);
    const same = withChanges(table, hashOf, [
      ["a", 1],
      ["c", null],
    ]);
    expect(same).toBe(table);
  });
});

test("a number that is no hash is a defect of the caller", () => {
  expect(() => lookUp(emptyTable<string, number>(), -1, "a")).toThrow(RangeError);
  expect(() => withChanges<string, number>(emptyTable(), () => Number.NaN, [["a", 1]])).toThrow(RangeError);
});
