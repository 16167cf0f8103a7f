import { describe, expect, test } from "vitest";
import { CLUSTER_LIMITS, vmSpec } from "../domain/index.ts";
import {
  AppliedOutOfOrder,
  applyEntries,
  type CommandRequest,
  decodeEntryData,
  emptyState,
  encodeRequest,
  getVm,
  STAMP_BYTES,
  stampRequest,
} from "./index.ts";

const request: CommandRequest = { session: null, command: { kind: "createVm", name: "a", spec: vmSpec() } };
const requestBytes = encodeRequest(request);

describe("the stamp", () => {
  test("has a fixed layout in front of the request's own bytes", () => {
    const data = stampRequest(Uint8Array.of(0xaa, 0xbb), { wallMs: 1, proposer: 0x01020304 });
    expect([...data]).toEqual([1, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 0xaa, 0xbb]);
  });

  test.each([
    [-1, 0],
    [1.9, 1],
    [Number.NaN, 0],
    [Number.POSITIVE_INFINITY, CLUSTER_LIMITS.wallMs],
    [1e300, CLUSTER_LIMITS.wallMs],
  ])("a wall clock of %d counts as %d", (wallMs, counted) => {
    const data = stampRequest(requestBytes, { wallMs, proposer: 1 });
    expect(decodeEntryData(new Uint8Array(data)).stamp?.wallMs).toBe(counted);
    expect(decodeEntryData(data).stamp?.wallMs).toBe(counted);
  });

  test.each([-1, 1.5, CLUSTER_LIMITS.nodeId + 1])("a proposer of %d is a defect of the caller", (proposer) => {
    expect(() => stampRequest(requestBytes, { wallMs: 0, proposer })).toThrow(RangeError);
  });

  test.each<[string, (data: Uint8Array) => Uint8Array]>([
    ["entry", (data) => data.subarray(0, STAMP_BYTES - 1)],
    ["entry.version", (data) => data.with(0, 2)],
    ["entry.wallMs", (data) => data.with(1, 0xff)],
    ["entry.proposer", (data) => data.with(9, 0x80)],
    ["request", (data) => data.subarray(0, STAMP_BYTES)],
    ["request", (data) => data.subarray(0, data.length - 1)],
  ])("a damaged %s is told by its name, and changes neither VMs nor time", (field, damage) => {
    const data = damage(new Uint8Array(stampRequest(requestBytes, { wallMs: 7, proposer: 1 })));
    expect(decodeEntryData(data).invalid).toMatchObject({ kind: "invalidCommand", field });
    const { state, results } = applyEntries(emptyState(), [{ index: 1, term: 1, data }]);
    expect(results).toEqual([{ ok: false, refusal: decodeEntryData(data).invalid }]);
    expect(state).toEqual({ ...emptyState(), appliedIndex: 1 });
  });

  test("cluster time never falls", () => {
    const at = (index: number, wallMs: number) => ({
      index,
      term: 1,
      data: stampRequest(
        encodeRequest({ ...request, command: { kind: "createVm", name: `vm-${index}`, spec: vmSpec() } }),
        { wallMs, proposer: 1 },
      ),
    });
    const { state } = applyEntries(emptyState(), [at(1, 1000), at(2, 10), at(3, 2000)]);
    expect(state.timeMs).toBe(2000);
    expect(getVm(state, "vm-2")?.createdAtMs).toBe(1000);
  });
});

test("an entry that was applied is not applied again: the caller has a defect and must stop", () => {
  const entry = { index: 5, term: 1, data: stampRequest(requestBytes, { wallMs: 0, proposer: 1 }) };
  const { state } = applyEntries(emptyState(), [entry]);
  expect(() => applyEntries(state, [entry])).toThrow(AppliedOutOfOrder);
  expect(() => applyEntries(emptyState(), [entry, { ...entry, index: 4 }])).toThrow(AppliedOutOfOrder);
});

test("no more VMs than allowed", () => {
  const atLimit = { ...emptyState(), vmCount: CLUSTER_LIMITS.vms };
  const { results } = applyEntries(atLimit, [
    { index: 1, term: 1, data: stampRequest(requestBytes, { wallMs: 0, proposer: 1 }) },
  ]);
  expect(results).toEqual([
    { ok: false, refusal: { kind: "limitReached", limit: "vms", maximum: CLUSTER_LIMITS.vms } },
  ]);
});
