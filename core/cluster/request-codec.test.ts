import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CLUSTER_LIMITS, type VmSpec, vmSpec } from "../domain/index.ts";
import {
  applyEntries,
  type ClusterState,
  type Command,
  type CommandRequest,
  decodeEntryData,
  decodeRequest,
  decodeSnapshot,
  emptyState,
  encodeRequest,
  encodeSnapshot,
  listVms,
  stampRequest,
} from "./index.ts";
import { InvalidCommand } from "./invalid.ts";

// ---- Arbitrary requests

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
const words = (maxLength: number) =>
  fc
    .string({ minLength: 1, maxLength, unit: "grapheme" })
    .filter((s) => s.length <= maxLength && !s.startsWith("\uFEFF"));
const durationMs = fc.integer({ min: 1, max: CLUSTER_LIMITS.durationMs });
const port = fc.integer({ min: 1, max: 65_535 });

const spec: fc.Arbitrary<VmSpec> = fc.record({
  bootTimeoutMs: durationMs,
  stopTimeoutMs: durationMs,
  vcpus: fc.integer({ min: 1, max: CLUSTER_LIMITS.vcpus }),
  memoryMiB: fc.integer({ min: 1, max: CLUSTER_LIMITS.memoryMiB }),
  diskGiB: fc.integer({ min: 0, max: CLUSTER_LIMITS.diskGiB }),
  hypervisor: fc.constantFrom("qemu", "cloud-hypervisor", "firecracker", "any"),
  tenant: label,
  priority: fc.integer({ min: 0, max: 1000 }),
  preemptible: fc.boolean(),
  features: fc.array(label, { maxLength: 4 }),
  antiAffinity: fc.array(
    fc.record({
      group: label,
      softWeight: fc.option(fc.integer({ min: 0, max: 1000 })),
      maxPerDomain: fc.integer({ min: 1, max: 9 }),
      scope: fc.constantFrom("node", "rack", "zone", "datacenter"),
    }),
    { maxLength: 3 },
  ),
  locality: fc.option(
    fc.record({
      preferredDatacenter: fc.option(label),
      preferredZone: fc.option(label),
      strict: fc.boolean(),
      excludedDatacenters: fc.array(label, { maxLength: 3 }),
    }),
  ),
  networks: fc.array(
    fc.oneof(
      fc.record({ pool: label }),
      fc.record({ pool: fc.constant(null), tags: fc.array(label, { maxLength: 3 }) }),
    ),
    { maxLength: 3 },
  ),
  volumes: fc.uniqueArray(fc.record({ name: label, sizeGiB: fc.integer({ min: 1, max: 99_999 }) }), {
    maxLength: 3,
    selector: (volume) => volume.name,
  }),
  source: fc.option(
    fc.oneof(
      fc.record({ kind: fc.constant("image"), image: words(300) }),
      fc.record({ kind: fc.constant("nixModule"), nixModule: words(300) }),
    ),
  ),
  healthChecks: fc.uniqueArray(
    fc.record({
      name: label,
      probe: fc.oneof(
        fc.record({ kind: fc.constant("http"), port, path: words(40) }),
        fc.record({ kind: fc.constant("tcp"), port }),
        fc.record({ kind: fc.constant("script"), script: words(90) }),
        fc.record({ kind: fc.constant("console"), pattern: words(20) }),
        fc.record({ kind: fc.constant("process"), process: words(20) }),
        fc.record({ kind: fc.constant("guestAgent") }),
      ),
      intervalMs: durationMs,
      timeoutMs: durationMs,
      initialDelayMs: durationMs,
      failures: fc.integer({ min: 1, max: 100 }),
      successes: fc.integer({ min: 1, max: 100 }),
      weight: fc.integer({ min: 0, max: 1000 }),
      critical: fc.boolean(),
    }),
    { maxLength: 3, selector: (check) => check.name },
  ),
  recovery: fc.record({
    restartsMax: fc.integer({ min: 0, max: 9 }),
    backoffMs: durationMs,
    backoffFactor: fc.integer({ min: 1, max: 10 }),
    backoffMaxMs: durationMs,
    resetAfterMs: durationMs,
  }),
  metadata: fc.dictionary(label, words(100), { maxKeys: 4, noNullPrototype: true }),
  onWorkerLost: fc.constantFrom("restart", "wait"),
  workerId: fc.option(fc.integer({ min: 1, max: CLUSTER_LIMITS.nodeId })),
});

const generation = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const vmCommand: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ kind: fc.constant("createVm"), name: label, spec }),
  fc.record({ kind: fc.constant("updateVm"), name: label, expectedGeneration: generation, spec }),
  fc.record({ kind: fc.constant("deleteVm"), name: label, expectedGeneration: fc.option(generation) }),
);
const session = fc
  .record({ id: generation, sequence: generation, behind: fc.nat(63) })
  .map(({ id, sequence, behind }) => ({ id, sequence, lowestUnacknowledged: Math.max(1, sequence - behind) }));

const anonymous: fc.Arbitrary<CommandRequest> = fc.oneof(
  fc.record({ session: fc.option(session), command: vmCommand }),
  fc.record({ session, command: fc.record({ kind: fc.constant("closeSession") }) }),
  fc.record({
    session: fc.constant(null),
    command: fc.record({ kind: fc.constant("openSession"), clientToken: words(128) }),
  }),
);
const request: fc.Arbitrary<CommandRequest> = fc
  .tuple(anonymous, fc.option(words(CLUSTER_LIMITS.actorLength)))
  .map(([asked, actor]) => (actor === null ? asked : { ...asked, actor }));

function snapshotBytes(state: ClusterState): string {
  return [...encodeSnapshot(state, 1 << 20)].map((chunk) => Buffer.from(chunk).toString("hex")).join("");
}

describe("commands as bytes", () => {
  test("a request comes back as it was", () => {
    fc.assert(
      fc.property(request, (original) => {
        const bytes = encodeRequest(original);
        // A copy is another object: nothing remembered helps.
        const decoded = decodeRequest(new Uint8Array(bytes));
        expect(decoded).toEqual(original);
        expect(decodeRequest(bytes)).toEqual(original);
        expect(encodeRequest(decoded)).toEqual(bytes);
      }),
    );
  });

  test("a stamped request comes back with its stamp", () => {
    fc.assert(
      fc.property(request, fc.nat(), fc.nat(CLUSTER_LIMITS.nodeId), (original, wallMs, proposer) => {
        const data = stampRequest(encodeRequest(original), { wallMs, proposer });
        expect(decodeEntryData(new Uint8Array(data))).toEqual({ stamp: { wallMs, proposer }, request: original });
        expect(decodeEntryData(data)).toEqual({ stamp: { wallMs, proposer }, request: original });
      }),
    );
  });

  test("whatever the bytes are, decoding throws nothing but InvalidCommand", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        try {
          decodeRequest(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidCommand);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("what is decoded from damaged bytes encodes again", () => {
    fc.assert(
      fc.property(request, fc.nat(), fc.integer({ min: 1, max: 255 }), (original, at, flip) => {
        const bytes = new Uint8Array(encodeRequest(original));
        const place = at % bytes.length;
        bytes[place] = (bytes[place] ?? 0) ^ flip;
        let decoded: CommandRequest;
        try {
          decoded = decodeRequest(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidCommand);
          return;
        }
        expect(decodeRequest(new Uint8Array(encodeRequest(decoded)))).toEqual(decoded);
      }),
      { numRuns: 2000 },
    );
  });

  test("one flipped byte of a request gives a result on every replica alike", () => {
    fc.assert(
      fc.property(request, fc.nat(), fc.integer({ min: 1, max: 255 }), (original, at, flip) => {
        const data = stampRequest(encodeRequest(original), { wallMs: 5, proposer: 1 });
        const damaged = new Uint8Array(data);
        const place = at % damaged.length;
        damaged[place] = (damaged[place] ?? 0) ^ flip;
        const here = applyEntries(emptyState(), [{ index: 1, term: 1, data: damaged }]);
        const there = applyEntries(emptyState(), [{ index: 1, term: 1, data: new Uint8Array(damaged) }]);
        expect(there.results).toEqual(here.results);
        expect(snapshotBytes(there.state)).toBe(snapshotBytes(here.state));
      }),
      { numRuns: 2000 },
    );
  });

  test("a state of such requests comes back from its snapshot, whatever the chunk size", () => {
    fc.assert(
      fc.property(fc.array(request, { maxLength: 8 }), fc.integer({ min: 1, max: 500 }), (requests, maxChunkBytes) => {
        const entries = requests.map((original, i) => ({
          index: i + 1,
          term: 1,
          data: stampRequest(encodeRequest(original), { wallMs: i, proposer: 1 }),
        }));
        const { state } = applyEntries(emptyState(), entries);
        const chunks = [...encodeSnapshot(state, maxChunkBytes)];
        for (const chunk of chunks.slice(0, -1)) expect(chunk).toHaveLength(maxChunkBytes);
        expect(chunks.at(-1)?.length).toBeLessThanOrEqual(maxChunkBytes);
        const decoded = decodeSnapshot(chunks);
        expect(snapshotBytes(decoded)).toBe(snapshotBytes(state));
        expect(listVms(decoded, { limit: 1000 })).toEqual(listVms(state, { limit: 1000 }));
        expect(decoded.appliedIndex).toBe(state.appliedIndex);
      }),
    );
  });
});

describe("limits", () => {
  const base: CommandRequest = { session: null, command: { kind: "createVm", name: "a", spec: vmSpec() } };
  const withSpec = (fields: Partial<VmSpec>): CommandRequest => ({
    session: null,
    command: { kind: "createVm", name: "a", spec: vmSpec(fields) },
  });
  const named = (name: string): CommandRequest => ({
    session: null,
    command: { kind: "createVm", name, spec: vmSpec() },
  });
  const inSession = (id: number, sequence: number, lowestUnacknowledged: number): CommandRequest => ({
    session: { id, sequence, lowestUnacknowledged },
    command: { kind: "deleteVm", name: "a", expectedGeneration: null },
  });

  test.each<[string, CommandRequest]>([
    ["command.name", named("")],
    ["command.name", named("Web")],
    ["command.name", named("-a")],
    ["command.name", named("a-")],
    ["command.name", named("a.b")],
    ["command.name", named("a\n")],
    ["command.name", named("x".repeat(64))],
    ["command.spec.vcpus", withSpec({ vcpus: 0 })],
    ["command.spec.vcpus", withSpec({ vcpus: 1.5 })],
    ["command.spec.vcpus", withSpec({ vcpus: Number.NaN })],
    ["command.spec.vcpus", withSpec({ vcpus: CLUSTER_LIMITS.vcpus + 1 })],
    ["command.spec.priority", withSpec({ priority: 1001 })],
    ["command.spec.priority", withSpec({ priority: -1 })],
    ["command.spec.tenant", withSpec({ tenant: "" })],
    ["command.spec.features", withSpec({ features: new Array<string>(33).fill("f") })],
    ["command.spec.features[1]", withSpec({ features: ["gpu", "GPU"] })],
    [
      "command.spec.volumes",
      withSpec({
        volumes: [
          { name: "v", sizeGiB: 1 },
          { name: "v", sizeGiB: 2 },
        ],
      }),
    ],
    ["command.spec.source.image", withSpec({ source: { kind: "image", image: "lone \ud800 surrogate" } })],
    ["command.spec.source.image", withSpec({ source: { kind: "image", image: `\ufeff${"x".repeat(100)}` } })],
    ["command.spec.metadata[0].key", withSpec({ metadata: { ["__proto__"]: "x" } })],
    ["session.sequence", inSession(1, 0, 0)],
    ["session.lowestUnacknowledged", inSession(1, 5, 6)],
    ["session.lowestUnacknowledged", inSession(1, 65, 1)],
    ["session.id", inSession(0, 1, 1)],
    ["session", { session: null, command: { kind: "closeSession" } }],
    [
      "session",
      {
        session: { id: 1, sequence: 1, lowestUnacknowledged: 1 },
        command: { kind: "openSession", clientToken: "t" },
      },
    ],
    ["command.clientToken", { session: null, command: { kind: "openSession", clientToken: "" } }],
  ])("%s is refused", (field, request) => {
    expect(() => encodeRequest(request)).toThrow(expect.objectContaining({ name: "InvalidCommand", field }));
  });

  test("64 requests may be in flight", () => {
    expect(decodeRequest(encodeRequest(inSession(1, 64, 1))).session?.sequence).toBe(64);
  });

  test("a request of more bytes than allowed is refused, encoded or decoded", () => {
    const healthChecks = Array.from({ length: 32 }, (_, i) => ({
      name: `check-${i}`,
      probe: { kind: "script" as const, script: "é".repeat(4096) },
      intervalMs: 1,
      timeoutMs: 1,
      initialDelayMs: 0,
      failures: 1,
      successes: 1,
      weight: 0,
      critical: false,
    }));
    const refusal = expect.objectContaining({ field: "request", limit: CLUSTER_LIMITS.requestBytes });
    expect(() => encodeRequest(withSpec({ healthChecks }))).toThrow(refusal);
    expect(() => decodeRequest(new Uint8Array(CLUSTER_LIMITS.requestBytes + 1))).toThrow(refusal);
  });

  test("bytes of another version are refused by it", () => {
    const bytes = new Uint8Array(encodeRequest(base));
    bytes[1] = 3;
    expect(() => decodeRequest(bytes)).toThrow(expect.objectContaining({ field: "request.version" }));
  });

  test("negative zero is zero", () => {
    const decoded = decodeRequest(encodeRequest(withSpec({ diskGiB: -0 })));
    expect(decoded.command.kind === "createVm" && Object.is(decoded.command.spec.diskGiB, 0)).toBe(true);
  });
});

test("what is decoded is frozen to the bottom, and shared", () => {
  const bytes = encodeRequest({
    session: { id: 1, sequence: 1, lowestUnacknowledged: 1 },
    command: { kind: "createVm", name: "a", spec: vmSpec({ features: ["gpu"], metadata: { a: "b" } }) },
  });
  const decoded = decodeRequest(new Uint8Array(bytes));
  const expectFrozen = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    expect(Object.isFrozen(value)).toBe(true);
    for (const part of Object.values(value)) expectFrozen(part);
  };
  expectFrozen(decoded);
  expect(decodeRequest(bytes)).toBe(decodeRequest(bytes));
  const data = stampRequest(bytes, { wallMs: 1, proposer: 1 });
  expect(decodeEntryData(data)).toBe(decodeEntryData(data));
  expectFrozen(decodeEntryData(new Uint8Array(data)));
});

test("encoded bytes keep nothing of the encoder's pool alive", () => {
  const bytes = encodeRequest({ session: null, command: { kind: "openSession", clientToken: "t" } });
  expect(bytes.constructor).toBe(Uint8Array);
  expect(bytes.buffer.byteLength).toBe(bytes.length);
});
