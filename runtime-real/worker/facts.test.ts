import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { DEFAULT_WORKER, probeFacts } from "./facts.ts";

test("a host is what it has, and what is said of it", async () => {
  const options = { ...DEFAULT_WORKER, rack: "r7", features: ["ssd", "gpu", "ssd"], costPerHour: 12 };
  const facts = await probeFacts(tmpdir(), options, ["kvm", "ssd"]);
  for (const amount of Object.values(facts.capacity)) expect(amount).toBeGreaterThan(0);
  expect(facts.features).toEqual(["gpu", "kvm", "ssd"]);
  expect(facts.topology).toEqual({ datacenter: "default", zone: "default", rack: "r7" });
  expect(facts).toMatchObject({ costPerHour: 12, driver: null });
});

test.each([
  ["rack", { rack: "Not A Label" }],
  ["features", { features: ["a_b"] }],
  ["features", { features: Array.from({ length: 40 }, (_, n) => `f${n}`) }],
  ["costPerHour", { costPerHour: -1 }],
  ["costPerHour", { costPerHour: 0.5 }],
])("what is said of it must make sense: %s", async (field, options) => {
  await expect(probeFacts(tmpdir(), { ...DEFAULT_WORKER, ...options }, [])).rejects.toMatchObject({
    name: "NodeStartError",
    message: expect.stringContaining(field),
  });
});
