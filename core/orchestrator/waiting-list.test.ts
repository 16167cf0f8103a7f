import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WaitingList } from "./waiting-list.ts";

/** Tries everybody who wants to be tried in the state of `index`, in vain, and says in which order. */
function tried(list: WaitingList, roomIndex: number, index = roomIndex): string[] {
  const order: string[] = [];
  for (let key = list.next(roomIndex); key !== null; key = list.next(roomIndex)) {
    if (order.length > 1000) throw new Error("it never ends");
    order.push(key);
    list.failed(key, index);
  }
  return order;
}

function listOf(...entries: readonly (readonly [string, number])[]): WaitingList {
  const list = new WaitingList();
  for (const [key, priority] of entries) list.add(key, priority);
  return list;
}

test("higher priorities first, and within one the first come", () => {
  const list = listOf(["a", 1], ["b", 5], ["c", 5], ["d", 9]);
  expect(tried(list, 1)).toEqual(["d", "b", "c", "a"]);
});

test("what was tried in vain waits for a change, and is then tried once", () => {
  const list = listOf(["a", 1], ["b", 1]);
  expect(tried(list, 5)).toEqual(["a", "b"]);
  expect(tried(list, 5)).toEqual([]);
  expect(tried(list, 6)).toEqual(["a", "b"]);
});

test("a change that came before it was tried is no change to it", () => {
  const list = listOf(["a", 1]);
  list.failed("a", 10);
  expect(tried(list, 9)).toEqual([]);
  expect(tried(list, 10)).toEqual([]);
  expect(tried(list, 11)).toEqual(["a"]);
});

test("who comes anew is tried at once, and waits behind nobody of its priority who was tried already", () => {
  const list = listOf(["a", 1]);
  tried(list, 5);
  list.add("b", 1);
  expect(tried(list, 5)).toEqual(["b"]);
  list.add("c", 1);
  expect(tried(list, 6)).toEqual(["c", "a", "b"]);
});

test("a change for the important alone is none for the others", () => {
  const list = listOf(["low", 1], ["same", 5], ["high", 9]);
  tried(list, 5);
  list.changedAbove(5, 7);
  expect(tried(list, 5, 7)).toEqual(["high"]);
});

test("who is deleted is not tried", () => {
  const list = listOf(["a", 1], ["b", 2], ["c", 3]);
  list.delete("b");
  list.failed("a", 1);
  list.delete("a");
  list.delete("unknown");
  expect(tried(list, 2)).toEqual(["c"]);
  list.delete("c");
  expect(tried(list, 3)).toEqual([]);
});

describe("the oldest", () => {
  test("is whoever was tried the longest ago, whatever its priority", () => {
    const list = listOf(["low", 1], ["high", 9]);
    list.failed("low", 1);
    list.failed("high", 2);
    expect(list.next(3)).toBe("high");
    expect(list.oldest(3)).toBe("low");
    list.failed("low", 3);
    expect(list.oldest(3)).toBe("high");
  });

  test("is whoever is next, when nobody has been tried", () => {
    expect(listOf(["a", 1], ["b", 2]).oldest(1)).toBe("b");
    expect(new WaitingList().oldest(1)).toBeNull();
  });
});

test("against the obvious version: everything in one array, sorted for each question", () => {
  interface One {
    key: string;
    priority: number;
    triedAt: number;
    order: number;
  }
  const key = fc.constantFrom("a", "b", "c", "d");
  const step = fc.oneof(
    fc.record({ do: fc.constant("add" as const), key, priority: fc.nat(2) }),
    fc.record({ do: fc.constant("delete" as const), key }),
    fc.record({ do: fc.constant("try" as const) }),
    fc.record({ do: fc.constant("room" as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const list = new WaitingList();
      let all: One[] = [];
      let room = 0;
      let index = 0;
      let order = 0;
      for (const one of steps) {
        index += 1;
        switch (one.do) {
          case "add":
            list.add(one.key, one.priority);
            all = all.filter((other) => other.key !== one.key);
            all.push({ key: one.key, priority: one.priority, triedAt: -1, order: order++ });
            break;
          case "delete":
            list.delete(one.key);
            all = all.filter((other) => other.key !== one.key);
            break;
          case "room":
            room = index;
            break;
          case "try": {
            const willing = all.filter(({ triedAt }) => triedAt < room || triedAt === -1);
            willing.sort(
              (a, b) =>
                b.priority - a.priority || Number(a.triedAt !== -1) - Number(b.triedAt !== -1) || a.order - b.order,
            );
            const expected = willing[0] ?? null;
            expect(list.next(room)).toBe(expected?.key ?? null);
            if (expected === null) break;
            list.failed(expected.key, index);
            expected.triedAt = index;
            expected.order = order++;
            break;
          }
        }
      }
    }),
  );
});
