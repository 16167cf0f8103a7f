/** What `worker list` and `worker show` print. */
import { expect, test } from "vitest";
import type { AnswerOf } from "../../../runtime-real/index.ts";
import { plain } from "../../output/index.ts";
import { exampleTask, exampleVm } from "../../testing/index.ts";
import { renderWorkers } from "./list.ts";
import { renderWorker } from "./show.ts";

type Shown = AnswerOf<"worker.show">;

const idle: Shown["worker"] = {
  id: 1,
  status: "online",
  driver: "qemu",
  capacity: { vcpus: 10, memoryMiB: 10_240, diskGiB: 100 },
  promisable: { vcpus: 9, memoryMiB: 9216, diskGiB: 90 },
  used: { vcpus: 0, memoryMiB: 0, diskGiB: 0 },
  reserved: { vcpus: 0, memoryMiB: 0, diskGiB: 0 },
  features: [],
  topology: { datacenter: "dc1", zone: "a", rack: "r1" },
  costPerHour: 0,
  guestsVia: [],
  vmCount: 0,
  taskCount: 0,
};

const busy: Shown["worker"] = {
  ...idle,
  id: 12,
  status: "draining",
  driver: null,
  used: { vcpus: 6, memoryMiB: 8192, diskGiB: 10 },
  reserved: { vcpus: 2, memoryMiB: 1024, diskGiB: 5 },
  features: ["gpu", "ssd"],
  costPerHour: 1250,
  guestsVia: ["192.0.2.7"],
  vmCount: 2,
  taskCount: 1,
};

const vm = { ...exampleVm, state: "Stopping", workerId: 12, eviction: "drain", avoidId: 12 } as const;
const task = { ...exampleTask, workerId: 12 };

test("a list shows at a glance how workers are and how full, in 80 columns", () => {
  expect(renderWorkers([idle, busy], plain, 80)).toEqual([
    "WORKER  STATUS    DRIVER  VCPUS      MEMORY     DISK       VMS  TASKS  PLACE",
    "     1  online    qemu    ░░░░   0%  ░░░░   0%  ░░░░   0%    0      0  dc1/a/r1",
    "    12  draining  none    ███░  89%  ████ 100%  █░░░  17%    2      1  dc1/a/r1",
    "",
    "1 worker without a VM driver: VMs placed there stay Scheduled.",
  ]);
  expect(renderWorkers([{ ...idle, driver: null }], plain, 80).at(-1)).toBe(
    "No worker has a VM driver: VMs placed there stay Scheduled.",
  );
  expect(renderWorkers([idle], plain, 80)).toHaveLength(2);
  // Without any topology the column would be empty.
  const nowhere = { ...idle, topology: { datacenter: "default", zone: "default", rack: "default" } };
  expect(renderWorkers([nowhere], plain, 80)).toEqual([
    "WORKER  STATUS  DRIVER  VCPUS      MEMORY     DISK       VMS  TASKS",
    "     1  online  qemu    ░░░░   0%  ░░░░   0%  ░░░░   0%    0      0",
  ]);
});

test("one worker is shown with its figures, and with what is there and what of that leaves", () => {
  expect(renderWorker({ index: 9, worker: busy, vms: [vm], tasks: [task] }, plain, 100)).toEqual([
    "worker    12, draining: what is here moves elsewhere",
    "driver    none: VMs placed here stay Scheduled",
    "place     datacenter dc1, zone a, rack r1",
    "features  gpu, ssd",
    "cost      1.250 an hour",
    "guests    via 192.0.2.7",
    "",
    "            TAKEN              USED   KEPT  FREE  MAY PROMISE  RESERVE     HAS",
    "vCPUs       ██████████░  89%      6      2     1            9        1      10",
    "memory MiB  ███████████ 100%  8,192  1,024     0        9,216    1,024  10,240",
    "disk GiB    ██░░░░░░░░░  17%     10      5    75           90       10     100",
    "",
    "VM   TENANT  STATE     VCPUS    MIB  WHY",
    "web  acme    Stopping      4  4,096  leaves its worker: drain",
    "",
    "TASK    TENANT  STATE    ATTEMPT  COMMAND",
    "backup  acme    Running  2 of 3   /usr/bin/backup --all",
  ]);
  expect(renderWorker({ index: 9, worker: idle, vms: [], tasks: [] }, plain, 100).at(-1)).toBe(
    "nothing is placed here",
  );
});

test("of a host that is too small to promise anything it is said why", () => {
  const small = {
    ...idle,
    capacity: { ...idle.capacity, vcpus: 1 },
    promisable: { ...idle.promisable, vcpus: 0 },
  };
  const lines = renderWorker({ index: 9, worker: small, vms: [], tasks: [] }, plain, 100);
  expect(lines).toContain("vCPUs: the reserve leaves nothing of 1 to promise, so no VM fits here;");
  expect(lines.join("\n")).not.toContain("memory MiB: the reserve");
});
