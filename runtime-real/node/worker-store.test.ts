import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DEFAULT_WORKER } from "../worker/index.ts";
import { isWorkerDirectory } from "./worker-directory.ts";
import { type WorkerSettings, WorkerStore, WorkerStoreError } from "./worker-store.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const settings: WorkerSettings = {
  ...{ version: 1, clusterId: "test", incarnation: 2, nodeId: 7, transport: "quic", worker: DEFAULT_WORKER },
  ...{ bind: "127.0.0.1:7007", advertise: ["127.0.0.1:7007"] },
  servers: [{ id: 1, peerId: "peer-1", addresses: ["127.0.0.1:7001"] }],
};

test("what was saved last is there when it is opened again", () => {
  const store = WorkerStore.open(folder);
  expect(store.read()).toBeNull();
  store.save({ ...settings, incarnation: 1 });
  store.save(settings);
  store.close();
  const again = WorkerStore.open(folder);
  expect(again.read()).toEqual(settings);
  again.close();
});

test("nobody else can open it at the same time, and nothing is left when it is removed", () => {
  expect(isWorkerDirectory(folder)).toBe(false);
  const store = WorkerStore.open(folder);
  expect(isWorkerDirectory(folder)).toBe(true);
  expect(() => WorkerStore.open(folder)).toThrow(/in use by another process/);
  store.save(settings);
  expect(() => WorkerStore.open(folder)).toThrow(/in use by another process/);
  store.remove();
  expect(readdirSync(folder)).toEqual([]);
});

test("a file of another kind is refused and stays as it is", () => {
  writeFileSync(join(folder, "worker.db"), "no database".repeat(1000));
  expect(() => WorkerStore.open(folder)).toThrow(WorkerStoreError);
  expect(readdirSync(folder)).toEqual(["worker.db"]);
});
