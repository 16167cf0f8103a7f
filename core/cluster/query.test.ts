import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { vmSpec } from "../domain/index.ts";
import {
  applyEntries,
  type ClusterState,
  emptyState,
  encodeRequest,
  getVm,
  listVms,
  query,
  stampRequest,
} from "./index.ts";

function holding(vms: readonly { name: string; tenant: string }[]): ClusterState {
  const entries = vms.map(({ name, tenant }, i) => ({
    index: i + 1,
    term: 1,
    data: stampRequest(
      encodeRequest({ session: null, command: { kind: "createVm", name, spec: vmSpec({ tenant }) } }),
      {
        wallMs: 1,
        proposer: 1,
      },
    ),
  }));
  return applyEntries(emptyState(), entries).state;
}

const vm = fc.record({ name: fc.stringMatching(/^[a-z]{1,3}[0-9]{0,2}$/), tenant: fc.constantFrom("red", "blue") });
const vms = fc.uniqueArray(vm, { maxLength: 60, selector: ({ name }) => name });

describe("listing", () => {
  test("page by page, everything comes once and in order", () => {
    fc.assert(
      fc.property(vms, fc.integer({ min: 1, max: 20 }), fc.constantFrom("red", "blue", null), (held, limit, tenant) => {
        const state = holding(held);
        const names: string[] = [];
        let afterName: string | null = null;
        do {
          const page = listVms(state, { afterName, limit, tenant });
          expect(page.vms.length).toBeLessThanOrEqual(limit);
          names.push(...page.vms.map(({ name }) => name));
          afterName = page.nextAfterName;
        } while (afterName !== null);
        const wanted = held.filter((one) => tenant === null || one.tenant === tenant).map(({ name }) => name);
        expect(names).toEqual(wanted.sort());
      }),
    );
  });

  test("goes on after a name that is no more", () => {
    const state = holding([
      { name: "a", tenant: "red" },
      { name: "c", tenant: "red" },
    ]);
    expect(listVms(state, { afterName: "b", limit: 5 }).vms.map(({ name }) => name)).toEqual(["c"]);
  });

  test("a page size out of range counts as the nearest end of it", () => {
    const state = holding([
      { name: "a", tenant: "red" },
      { name: "b", tenant: "red" },
    ]);
    for (const limit of [0, -1, Number.NaN])
      expect(listVms(state, { limit })).toMatchObject({ vms: [{ name: "a" }], nextAfterName: "a" });
    expect(listVms(state, { limit: Number.POSITIVE_INFINITY }).vms).toHaveLength(2);
  });
});

test("a question as a value has the same answer", () => {
  const state = holding([{ name: "a", tenant: "red" }]);
  expect(query(state, { kind: "getVm", name: "a" })).toEqual({ kind: "vm", vm: getVm(state, "a") });
  expect(query(state, { kind: "getVm", name: "b" })).toEqual({ kind: "vm", vm: null });
  expect(query(state, { kind: "listVms", limit: 9 })).toEqual({ kind: "vms", ...listVms(state, { limit: 9 }) });
});
