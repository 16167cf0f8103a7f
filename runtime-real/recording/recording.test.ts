import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { privateKeyToProtobuf } from "@libp2p/crypto/keys";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type ClientRequest,
  DEFAULT_RAFT_OPTIONS,
  type Effect,
  encodeReport,
  type HostFacts,
  type Input,
  Node,
} from "../../core/index.ts";
import { Identity, sha256, verifySignature } from "../identity/index.ts";
import { fileRecorder, openRecording, type Recorder, replay, ringRecorder } from "./index.ts";

let folder = "";
let identity: Identity;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
  identity = await Identity.generate();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const FACTS: HostFacts = {
  capacity: { vcpus: 4, memoryMiB: 1024, diskGiB: 10 },
  features: [],
  topology: { datacenter: "default", zone: "default", rack: "default" },
  costPerHour: 0,
  driver: null,
  guestsVia: [],
};

/** A cluster of one node whose writes and deadlines are carried out at once, and `writes` requests to it. */
function live(recorders: readonly Recorder[], writes: number): Node {
  const restored = Node.genesis("c", 0, [{ id: 1, peerId: identity.peerId }]);
  const options = { ...DEFAULT_RAFT_OPTIONS, snapshotAfterEntries: 50, snapshotEveryEntries: 20 };
  let drawn = 1;
  const bare = {
    peerId: identity.peerId,
    randomUint32: () => (drawn = (Math.imul(drawn, 1_664_525) + 1_013_904_223) >>> 0),
    sign: (statement: Uint8Array) => identity.sign(statement),
    verify: verifySignature,
    digest: sha256,
  };
  const stamp = { nowMs: 1000, wallMs: 1_800_000_000_000 };
  for (const recorder of recorders) recorder.begin({ nodeId: 1, peerId: identity.peerId, options, restored, stamp });
  const runtime = recorders.reduce((inner, recorder) => recorder.wrap(inner), bare);
  const node = new Node(1, options, runtime, restored, stamp);
  let { nowMs } = stamp;
  let wakeAtMs = Number.POSITIVE_INFINITY;
  const perform = (effects: readonly Effect[]): void => {
    for (const effect of effects) {
      if (effect.kind === "wakeAt") wakeAtMs = effect.atMs;
      if (effect.kind === "write") step({ kind: "written", writeId: effect.write.id, nowMs, wallMs: nowMs });
    }
  };
  const step = (input: Input): void => {
    const effects = node.step(input);
    for (const recorder of recorders) recorder.step(input, effects);
    perform(effects);
  };
  perform(node.start());
  while (node.role !== "leader") {
    nowMs = wakeAtMs;
    step({ kind: "wake", nowMs, wallMs: nowMs });
  }
  const announce = { kind: "announceNode", nodeId: 1, peerId: identity.peerId, addresses: ["127.0.0.1:1"] } as const;
  const known: ClientRequest = { kind: "propose", request: { session: null, command: announce } };
  step({ kind: "request", requestId: 1_000_000, request: known, nowMs, wallMs: nowMs });
  /** A report, as from its own worker. */
  const report = (n: number): void => {
    const facts = n > 10 ? null : FACTS;
    const lacks = { vms: [], tasks: [] };
    const inventory = { machines: [], jobs: [] };
    const said = {
      workerId: 1,
      bootId: 7,
      sequence: n,
      facts,
      assignedIndex: 0,
      inventoryVersion: n,
      inventory,
      lacks,
    };
    const request: ClientRequest = { kind: "report", peerId: identity.peerId, data: encodeReport(said) };
    step({ kind: "request", requestId: 2_000_000 + n, request, nowMs, wallMs: nowMs });
  };
  for (let n = 1; n <= writes; n++) {
    nowMs += 1;
    const request: ClientRequest = {
      kind: "propose",
      request: { session: null, command: { kind: "openSession", clientToken: `t${n}` } },
    };
    step({ kind: "request", requestId: n, request, nowMs, wallMs: nowMs });
    if (n % 10 === 0) report(n);
  }
  return node;
}

test("a file and a ring both hold all that the same decisions need, snapshots too", () => {
  const path = join(folder, "file.recording");
  const file = fileRecorder("1.0", path, (reason) => expect.fail(reason));
  const ring = ringRecorder("1.0", { bytesMax: 2 ** 30 });
  const node = live([file, ring], 200);
  const dump = join(folder, "ring.recording");
  ring.dump(dump, "an assertion failed");
  file.dump(path, "stopped");
  file.close();
  for (const [recorded, reason] of [
    [dump, "an assertion failed"],
    [path, "stopped"],
  ] as const) {
    const steps = replay(openRecording(recorded));
    let last = node;
    for (let next = steps.next(); ; next = steps.next()) {
      if (next.done === true) {
        expect(next.value).toBe(reason);
        break;
      }
      expect(next.value.same).toBe(true);
      last = next.value.node;
    }
    expect([last.appliedIndex, last.snapshotIndex, last.state.sessionCount, last.state.workerCount]).toEqual([
      node.appliedIndex,
      node.snapshotIndex,
      200,
      1,
    ]);
    expect(node.snapshotIndex).toBeGreaterThan(0);
  }
});

test("a ring that is full drops its beginning, says so, and still shows what it has", () => {
  const ring = ringRecorder("1.0", { bytesMax: 50_000 });
  live([ring], 2000);
  const dump = join(folder, "ring.recording");
  ring.dump(dump, "because");
  const recording = openRecording(dump);
  expect(recording.skippedSteps).toBeGreaterThan(1000);
  const held = [...recording.steps()];
  expect(held.length).toBeGreaterThan(20);
  expect(held.length).toBeLessThan(500);
  expect(() => replay(recording).next()).toThrow(
    expect.objectContaining({ name: "RecordingError", hint: expect.stringContaining("--show") }),
  );
});

test("a recording holds no private key", () => {
  const path = join(folder, "file.recording");
  const file = fileRecorder("1.0", path, () => undefined);
  live([file], 10);
  file.close();
  const bytes = readFileSync(path);
  const seed = Buffer.from(identity.privateKey.raw).subarray(0, 32);
  expect(bytes.includes(seed)).toBe(false);
  expect(bytes.includes(Buffer.from(privateKeyToProtobuf(identity.privateKey)))).toBe(false);
  expect(bytes.includes(Buffer.from(identity.peerId))).toBe(true);
});
