import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { DEFAULT_WORKER, probeFacts } from "./facts.ts";

test("a host is what it has, and what is said of it", async () => {
  const options = { ...DEFAULT_WORKER, rack: "r7", features: ["ssd", "gpu", "ssd"], costPerHour: 12 };
  const facts = await probeFacts(tmpdir(), options, ["kvm", "ssd"], ["127.0.0.1:7001"]);
  for (const amount of Object.values(facts.capacity)) expect(amount).toBeGreaterThan(0);
  expect(facts.features).toEqual(["gpu", "kvm", "ssd"]);
  expect(facts.topology).toEqual({ datacenter: "default", zone: "default", rack: "r7" });
  expect(facts).toMatchObject({ costPerHour: 12, driver: null, guestsVia: [] });
});

test("what is for its guests is sent to where its peers reach it, unless it says another address", async () => {
  const reached = ["127.0.0.1:1", "name:1", "192.0.2.7:1", "192.0.2.8:1", "[fe80::1]:1", "[2001:db8::7]:1"];
  const { guestsVia } = await probeFacts(tmpdir(), DEFAULT_WORKER, [], reached);
  expect(guestsVia).toEqual(["192.0.2.7", "2001:db8::7"]);
  const told = await probeFacts(tmpdir(), { ...DEFAULT_WORKER, guestsVia: ["10.1.0.7"] }, [], reached);
  expect(told.guestsVia).toEqual(["10.1.0.7"]);
});

test.each([
  ["rack", { rack: "Not A Label" }],
  ["features", { features: ["a_b"] }],
  ["features", { features: Array.from({ length: 40 }, (_, n) => `f${n}`) }],
  ["costPerHour", { costPerHour: -1 }],
  ["costPerHour", { costPerHour: 0.5 }],
  ["guestsVia", { guestsVia: ["host-7"] }],
  ["guestsVia", { guestsVia: ["192.0.2.1", "192.0.2.2"] }],
])("what is said of it must make sense: %s", async (field, options) => {
  await expect(probeFacts(tmpdir(), { ...DEFAULT_WORKER, ...options }, [], [])).rejects.toMatchObject({
    name: "NodeStartError",
    message: expect.stringContaining(field),
  });
});
