import { expect, test } from "vitest";
import { chooseSettings, DEFAULT_SETTINGS } from "./settings.ts";

const NOTHING = { bind: null, advertise: null, transport: null, apiBind: null, works: null, worker: {} };
const REMEMBERED = {
  bind: "192.0.2.1:7001",
  advertise: ["node-1.example:7001"],
  transport: "tcp",
  apiBind: "127.0.0.1:7100",
  works: false,
  worker: { ...DEFAULT_SETTINGS.worker, rack: "r1", costPerHour: 5 },
} as const;

test("what the command line does not say is as remembered", async () => {
  expect(await chooseSettings(NOTHING, REMEMBERED)).toEqual(REMEMBERED);
});

test("what the command line says comes first, field by field", async () => {
  const chosen = await chooseSettings({ ...NOTHING, works: true, worker: { rack: "r2" } }, REMEMBERED);
  expect(chosen).toEqual({ ...REMEMBERED, works: true, worker: { ...REMEMBERED.worker, rack: "r2" } });
});

test("who listens elsewhere is reached there, unless the command line says otherwise", async () => {
  const elsewhere = { ...NOTHING, bind: "192.0.2.9:7009" };
  expect((await chooseSettings(elsewhere, REMEMBERED)).advertise).toEqual(["192.0.2.9:7009"]);
  const advertised = { ...elsewhere, advertise: ["proxy.example:7001"] };
  expect((await chooseSettings(advertised, REMEMBERED)).advertise).toEqual(["proxy.example:7001"]);
});

test("port 0 becomes a port that can be remembered", async () => {
  const { bind, advertise } = await chooseSettings({ ...NOTHING, bind: "127.0.0.1:0" }, DEFAULT_SETTINGS);
  expect(bind).toMatch(/^127\.0\.0\.1:[1-9]\d+$/);
  expect(advertise).toEqual([bind]);
});
