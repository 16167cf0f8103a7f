import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Locality, POOL_STRATEGIES } from "../domain/index.ts";
import { choosePool, type PoolCandidate, type PoolPreference } from "./pool-choice.ts";
import { poolWith } from "./testing/index.ts";

interface Rough {
  readonly name: string;
  readonly size?: number;
  readonly used?: number;
  readonly place?: { readonly datacenter?: string; readonly zone?: string };
}

function candidates(rough: readonly Rough[]): readonly PoolCandidate[] {
  return rough.map(({ name, size = 10, used = 0, place = {} }, at) => {
    const rangeLast = `10.0.${(size - 1) >> 8}.${(size - 1) & 255}`;
    const range = { subnet: "10.0.0.0/15", rangeFirst: "10.0.0.1", rangeLast: size === 1 ? "10.0.0.1" : rangeLast };
    return { spec: poolWith({ name, ...range, ...place }), number: at + 1, usedCount: used };
  });
}

const preferring = (fields: Partial<PoolPreference> = {}): PoolPreference => ({
  strategy: "least-used",
  cursor: 0,
  locality: null,
  ...fields,
});
const chosen = (preference: Partial<PoolPreference>, rough: readonly Rough[]): string | null =>
  choosePool(preferring(preference), candidates(rough))?.spec.name ?? null;

describe("a pool is chosen", () => {
  // 1 of 9, 2 of 19 and 100 of 999 addresses are used: 0.111, 0.105 and 0.1001.
  const unlike = [
    { name: "a", size: 10, used: 1 },
    { name: "b", size: 20, used: 2 },
    { name: "c", size: 1000, used: 100 },
  ];

  test("by the share of it that is used, not by how many that is", () => {
    expect(chosen({ strategy: "least-used" }, unlike)).toBe("c");
    expect(chosen({ strategy: "most-used" }, unlike)).toBe("a");
  });

  test("by name where two are used alike", () => {
    const alike = [
      { name: "b", size: 11, used: 5 },
      { name: "a", size: 21, used: 10 },
      { name: "c", size: 11, used: 5 },
    ];
    expect(chosen({ strategy: "least-used" }, alike)).toBe("a");
    expect(chosen({ strategy: "most-used" }, alike)).toBe("a");
  });

  test("one after the other, by age, and from the start again", () => {
    const three = [{ name: "z" }, { name: "a" }, { name: "m" }];
    const turns = [0, 1, 2, 3, 65_535].map((cursor) => chosen({ strategy: "round-robin", cursor }, three));
    expect(turns).toEqual(["z", "a", "m", "z", "z"]);
  });

  test("from none, none", () => {
    for (const strategy of POOL_STRATEGIES) expect(chosen({ strategy }, [])).toBeNull();
  });

  test("the same in whatever order they come", () => {
    const rough = fc.uniqueArray(
      fc.record({
        name: fc.stringMatching(/^[a-z]{1,3}$/),
        size: fc.integer({ min: 2, max: 6 }),
        used: fc.integer({ min: 0, max: 4 }),
        place: fc.constantFrom({}, { datacenter: "north" }, { datacenter: "south" }, { zone: "z" }),
      }),
      { minLength: 1, maxLength: 8, selector: ({ name }) => name },
    );
    const preference = fc.record({
      strategy: fc.constantFrom(...POOL_STRATEGIES),
      cursor: fc.integer({ min: 0, max: 8 }),
      locality: fc.constantFrom(null, near({ preferredDatacenter: "north", preferredZone: "z" })),
    });
    fc.assert(
      fc.property(preference, rough, fc.nat(7), (wish, from, shift) => {
        const pools = candidates(from);
        const at = shift % pools.length;
        const turned = [...pools.slice(at), ...pools.slice(0, at)];
        const name = choosePool(wish, pools)?.spec.name;
        expect(choosePool(wish, turned)?.spec.name).toBe(name);
        expect(choosePool(wish, turned.toReversed())?.spec.name).toBe(name);
      }),
    );
  });
});

const near = (fields: Partial<Locality>): Locality => ({
  preferredDatacenter: null,
  preferredZone: null,
  strict: false,
  excludedDatacenters: [],
  ...fields,
});

describe("topology-aware", () => {
  const zone = { name: "d-zone", used: 8, place: { datacenter: "north", zone: "a" } };
  const datacenter = { name: "c-datacenter", used: 6, place: { datacenter: "north" } };
  const nowhere = { name: "b-nowhere", used: 4 };
  const elsewhere = { name: "a-elsewhere", used: 0, place: { datacenter: "south", zone: "a" } };
  const all = [zone, datacenter, nowhere, elsewhere];
  const locality = near({ preferredDatacenter: "north", preferredZone: "a" });
  const best = (wish: Locality | null, pools: readonly Rough[]): string | null =>
    chosen({ strategy: "topology-aware", locality: wish }, pools);

  test("prefers the zone, then the datacenter, then what is at home nowhere, however full they are", () => {
    expect(best(locality, all)).toBe("d-zone");
    expect(best(locality, all.slice(1))).toBe("c-datacenter");
    expect(best(locality, all.slice(2))).toBe("b-nowhere");
    expect(best(locality, all.slice(3))).toBe("a-elsewhere");
    expect(best(near({ preferredZone: "a" }), [zone, datacenter, nowhere])).toBe("d-zone");
    expect(best(near({ preferredDatacenter: "north" }), all)).toBe("c-datacenter");
  });

  test("of those that suit alike, the least used", () => {
    expect(best(locality, [{ ...zone, name: "full", used: 9 }, zone])).toBe("d-zone");
    expect(best(null, all)).toBe("a-elsewhere");
  });

  test("takes what is at home where the VM must not run last", () => {
    expect(best(near({ excludedDatacenters: ["south"] }), all)).toBe("b-nowhere");
  });
});
