/** Three real processes under kill -9: nothing acknowledged is lost, and clients see one copy of each VM. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ApiClient, ApiError } from "../../runtime-real/index.ts";
import { checkHistory, type Operation, VM_MODEL, type VmInput, type VmOutput } from "../../runtime-sim/index.ts";
import { RealCluster } from "./testing/index.ts";

const CLIENTS = 16;
const WRITES = 2000;
const UNDER_FIRE_MS = 60_000;
const KEYS = 48;

const cluster = new RealCluster();
// Without workers a deleted VM is gone at once, as the model has it. Workers are not tested here.
beforeAll(() => cluster.start(3, ["--no-worker"]), 60_000);
afterAll(() => cluster.destroy());

class History {
  readonly operations: Operation<VmInput, VmOutput>[] = [];
  #index = 0;
  writes = 0;
  unknown = 0;

  /** Runs one operation and records when it was called, what was answered, and when. */
  async run(process: number, key: string, input: VmInput, ask: () => Promise<VmOutput>): Promise<VmOutput | null> {
    const index = this.#index++;
    const time = performance.now();
    let output: VmOutput | null = null;
    try {
      output = await ask();
    } catch (error) {
      output = outputOf(error);
    }
    if (input.kind !== "get") this.writes++;
    if (output === null) this.unknown++;
    // A failed read carries no information.
    if (output !== null || input.kind !== "get") {
      const reply = output === null ? null : { index: this.#index++, time: performance.now(), output };
      this.operations.push({ process, key, input, index, time, reply });
    }
    return output;
  }
}

/** What a refusal says about the VM. Null: it is not known what happened. */
function outputOf(error: unknown): VmOutput | null {
  if (!(error instanceof ApiError)) return null;
  switch (error.code) {
    case "vmExists":
      return { kind: "exists" };
    case "vmNotFound":
      return { kind: "absent" };
    case "generationMismatch":
      return { kind: "mismatch", actual: Number(error.details["actual"]) };
    default:
      return null;
  }
}

const specOf = (value: number) => ({ metadata: { value: `${value}` } });

async function get(api: ApiClient, name: string, timeoutMs: number): Promise<VmOutput> {
  const { vm } = await api.read("vm.show", { name }, { timeoutMs });
  return { kind: "found", value: Number(vm.spec.metadata["value"]), generation: vm.generation };
}

let nextValue = 1;

async function client(number: number, history: History, isOver: () => boolean): Promise<void> {
  const api = cluster.client(number);
  const timeoutMs = 20_000;
  for (let n = number; !isOver(); n++) {
    const name = `vm-${(n * 7) % KEYS}`;
    const value = nextValue++;
    const created = await history.run(number, name, { kind: "create", value }, async () => {
      const { generation } = await api.write("vm.create", { name, spec: specOf(value) }, { timeoutMs });
      return { kind: "written", generation };
    });
    const seen = await history.run(number, name, { kind: "get" }, () => get(api, name, 5000));
    if (seen?.kind === "found") {
      const next = nextValue++;
      const expectedGeneration = seen.generation;
      await history.run(number, name, { kind: "update", value: next, expectedGeneration }, async () => {
        const { generation } = await api.write(
          "vm.update",
          { name, expectedGeneration, spec: specOf(next) },
          { timeoutMs },
        );
        return { kind: "written", generation };
      });
    }
    if (created?.kind === "exists" || n % 3 === 0) {
      await history.run(number, name, { kind: "delete", expectedGeneration: null }, async () => {
        const { generation } = await api.write("vm.delete", { name }, { timeoutMs });
        return { kind: "deleted", generation };
      });
    }
    // Spread over the whole time, so that every kill interrupts writes.
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  await api.close();
}

test("2,000 writes of 16 clients while nodes are killed and restarted for a minute", { timeout: 240_000 }, async () => {
  const history = new History();
  const startMs = performance.now();
  const isOver = (): boolean => performance.now() - startMs > UNDER_FIRE_MS && history.writes >= WRITES;
  const clients = Array.from({ length: CLIENTS }, (_, number) => client(number, history, isOver));

  let kills = 0;
  const killer = (async () => {
    while (!isOver()) {
      await new Promise((resolve) => setTimeout(resolve, 2500));
      // Every other time the leader.
      const victim = kills % 2 === 0 ? await cluster.leader() : cluster.nodes[kills % 3];
      if (victim === undefined) continue;
      kills++;
      await victim.end("SIGKILL");
      await victim.start();
    }
  })();
  await Promise.all([...clients, killer]);

  await cluster.settled();
  const reader = cluster.client();
  for (let n = 0; n < KEYS; n++) {
    const read = await history.run(-1, `vm-${n}`, { kind: "get" }, () => get(reader, `vm-${n}`, 10_000));
    expect(read).not.toBeNull();
  }
  await reader.close();

  const result = checkHistory(VM_MODEL, history.operations);
  console.log(
    `${history.operations.length} operations, ${history.writes} writes, ${history.unknown} of unknown outcome, ${kills} kills: ${result.verdict}`,
  );
  expect(result.violations.map(({ message }) => message)).toEqual([]);
  expect(result.verdict).toBe("linearizable");
  expect(history.writes).toBeGreaterThanOrEqual(WRITES);
  expect(kills).toBeGreaterThan(10);
  for (const node of cluster.nodes) {
    const { descriptors, residentMiB } = node.usage();
    expect({ id: node.id, descriptors: descriptors < 120, memory: residentMiB < 400 }).toEqual({
      id: node.id,
      descriptors: true,
      memory: true,
    });
  }
});
