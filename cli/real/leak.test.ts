/** A node that stays up while the others are killed and restarted under load leaks neither memory nor descriptors. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { RealCluster } from "./testing/index.ts";

const CLIENTS = 32;
const KILLS = 12;
const WRITES = 60_000;
/**
 * The limit of a node's heap: a leak ends the process. Half of it is the recording in memory and what V8 has not
 * collected yet.
 */
const HEAP_MIB = 320;
/** Memory outside the heap: the program, the threads of QUIC and SQLite, and their buffers. */
const BESIDE_MIB = 300;

const before = process.env["NODE_OPTIONS"];
const cluster = new RealCluster();
beforeAll(async () => {
  process.env["NODE_OPTIONS"] = `--max-old-space-size=${HEAP_MIB}`;
  await cluster.start(3);
}, 60_000);
afterAll(async () => {
  await cluster.destroy();
  if (before === undefined) delete process.env["NODE_OPTIONS"];
  else process.env["NODE_OPTIONS"] = before;
});

test("twelve kills of its peers and 60,000 writes leave a node as large as it was", { timeout: 240_000 }, async () => {
  const [survivor, ...others] = cluster.nodes;
  if (survivor === undefined) throw new Error("fixture");
  await cluster.settled();
  const atFirst = survivor.usage();
  let isOver = false;
  let writes = 0;
  const client = async (number: number): Promise<void> => {
    const api = cluster.client(number);
    const name = `vm-${number}`;
    const timeoutMs = 60_000;
    let { generation } = await api.write("vm.create", { name }, { timeoutMs });
    while (!isOver) {
      const spec = { metadata: { value: `${writes++}` } };
      ({ generation } = await api.write("vm.update", { name, expectedGeneration: generation, spec }, { timeoutMs }));
    }
    await api.close();
  };
  const written = async (count: number): Promise<void> => {
    while (writes < count) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  const killer = async (): Promise<void> => {
    for (let kills = 0; kills < KILLS; kills++) {
      await written((WRITES * kills) / KILLS);
      const victim = others[kills % others.length];
      await victim?.end("SIGKILL");
      await written(writes + 300);
      await victim?.start();
    }
    await written(WRITES);
    isOver = true;
  };
  await Promise.all([killer(), ...Array.from({ length: CLIENTS }, (_, number) => client(number))]);
  await cluster.settled();

  const after = survivor.usage();
  console.log(`${writes} writes: ${JSON.stringify(atFirst)} became ${JSON.stringify(after)}`);
  expect(after.descriptors).toBeLessThanOrEqual(atFirst.descriptors + 4);
  expect(after.residentMiB).toBeLessThan(HEAP_MIB + BESIDE_MIB);
});
