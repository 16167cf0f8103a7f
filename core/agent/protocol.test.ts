/** Reports and directives as bytes: what is encoded is decoded to the same, and any other bytes are refused. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { CLUSTER_LIMITS, vmSpec } from "../domain/index.ts";
import {
  type Directive,
  decodeDirective,
  decodeReport,
  encodeDirective,
  encodeReport,
  HOST_LIMITS,
  type Report,
} from "./protocol.ts";

const report: Report = {
  workerId: 7,
  bootId: 2 ** 40,
  sequence: 3,
  facts: {
    capacity: { vcpus: 8, memoryMiB: 8192, diskGiB: 100 },
    features: ["gpu", "kvm"],
    topology: { datacenter: "dc", zone: "zone", rack: "rack" },
    costPerHour: 12,
    driver: "microvm",
    guestsVia: [],
  },
  assignedIndex: 44,
  inventoryVersion: 5,
  inventory: {
    machines: [
      { name: "db", epoch: 9, phase: "failed", reason: "Grüße, 世界", isUnhealthy: false },
      { name: "web", epoch: 12, phase: "running", reason: "", isUnhealthy: true },
    ],
    jobs: [{ id: "job", attempt: 2, phase: "exited", exitCode: -9, output: "last words" }],
  },
  lacks: { vms: ["db"], tasks: ["job"] },
};

const lan = {
  address: "10.0.0.7",
  prefixLength: 24,
  gateway: "10.0.0.1",
  dns: [],
  vlan: null,
  mac: "02:b1:00:03:00:07",
  tap: "bx-3-7",
};

const granted: Directive = {
  kind: "granted",
  workerId: 7,
  bootId: 2 ** 40,
  sequence: 3,
  leaseTtlMs: 10_000,
  assignment: {
    index: 44,
    vms: [{ name: "web", epoch: 12, intent: "run", isBegun: true, createdIndex: 4, generation: 2 }],
    tasks: [{ id: "job", attempt: 2, isBegun: false, isCancelled: true }],
  },
  details: {
    vms: [{ name: "web", createdIndex: 4, generation: 2, spec: vmSpec({ features: ["kvm"] }), interfaces: [lan] }],
    tasks: [{ id: "job", attempt: 2, command: "/bin/true", args: ["-x", ""], timeoutMs: 1000 }],
  },
  inventoryVersion: 5,
  servers: [1, 2, 3],
};

const register: Directive = { kind: "register", workerId: 7, bootId: 1, sequence: 4 };

test("what is said comes back", () => {
  expect(decodeReport(encodeReport(report))).toEqual(report);
  expect(decodeReport(encodeReport({ ...report, facts: null, inventory: null }))).toEqual({
    ...report,
    facts: null,
    inventory: null,
  });
  for (const directive of [
    granted,
    { ...granted, assignment: null },
    register,
    { ...register, kind: "removed" as const },
    { ...register, kind: "left" as const, voters: [2, 4] },
  ])
    expect(decodeDirective(encodeDirective(directive))).toEqual(directive);
});

test("damaged bytes are nothing, or something that may be said", () => {
  for (const [bytes, decode, encode] of [
    [encodeReport(report), decodeReport, (value: never) => encodeReport(value)],
    [encodeDirective(granted), decodeDirective, (value: never) => encodeDirective(value)],
  ] as const) {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(bytes.length), (at, flip, cut) => {
        const damaged = bytes.slice();
        damaged[at] = (damaged[at] ?? 0) ^ flip;
        expect(decode(bytes.slice(0, Math.min(cut, bytes.length - 1)))).toBeNull();
        const read = decode(damaged);
        // Whatever was accepted is within the limits: it can be said again, and is read as the same.
        if (read !== null) expect(decode(encode(read as never))).toEqual(read);
      }),
    );
  }
});

test("any bytes at all are nothing, and quickly so", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(decodeReport(bytes)).toBeNull();
      expect(decodeDirective(bytes)).toBeNull();
    }),
  );
});

test("a list that says it has four thousand million items is not waited for", () => {
  for (const head of [
    [0x91, 0xdd, 0xff, 0xff, 0xff, 0xff],
    [0xdd, 0xff, 0xff, 0xff, 0xff],
    [0x91, 0x97, 0xdb, 0xff, 0xff, 0xff, 0xff],
    new Array<number>(100_000).fill(0x91),
  ]) {
    expect(decodeReport(new Uint8Array(head))).toBeNull();
    expect(decodeDirective(new Uint8Array(head))).toBeNull();
  }
});

const machine = report.inventory?.machines[0] ?? {
  name: "",
  epoch: 0,
  phase: "failed",
  reason: "",
  isUnhealthy: false,
};
const job = report.inventory?.jobs[0] ?? { id: "", attempt: 0, phase: "exited", exitCode: 0, output: "" };

test.each<[string, Partial<Report>]>([
  ["worker", { workerId: 0 }],
  ["process", { bootId: -1 }],
  ["sequence", { sequence: 1.5 }],
  ["name", { inventory: { machines: [{ ...machine, name: "No Label" }], jobs: [] } }],
  ["epoch", { inventory: { machines: [{ ...machine, epoch: -1 }], jobs: [] } }],
  ["reason", { inventory: { machines: [{ ...machine, reason: "x".repeat(257) }], jobs: [] } }],
  ["output", { inventory: { machines: [], jobs: [{ ...job, output: "x".repeat(4097) }] } }],
  ["exit code", { inventory: { machines: [], jobs: [{ ...job, exitCode: 2 ** 40 }] } }],
  ["number of machines", { inventory: { machines: new Array(HOST_LIMITS.machines + 1).fill(machine), jobs: [] } }],
  ["number of jobs", { inventory: { machines: [], jobs: new Array(HOST_LIMITS.jobs + 1).fill(job) } }],
])("a report whose %s is out of bounds is none", (_, fields) => {
  expect(decodeReport(encodeReport({ ...report, ...fields }))).toBeNull();
});

test.each<[string, Partial<Extract<Directive, { kind: "granted" }>>]>([
  ["lease", { leaseTtlMs: 0 }],
  ["worker", { workerId: -1 }],
  ["number of servers", { servers: Array.from({ length: 1025 }, (_, at) => at + 1) }],
])("a directive whose %s is out of bounds is none", (_, fields) => {
  expect(decodeDirective(encodeDirective({ ...granted, ...fields }))).toBeNull();
});

test("a server that has left names no more than may have a vote", () => {
  const voters = Array.from({ length: CLUSTER_LIMITS.voters }, (_, at) => at + 1);
  const left = { ...register, kind: "left" as const };
  expect(decodeDirective(encodeDirective({ ...left, voters }))).toEqual({ ...left, voters });
  expect(decodeDirective(encodeDirective({ ...left, voters: [...voters, 99] }))).toBeNull();
});
