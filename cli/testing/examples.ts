/** A VM and a task for rendering tests. */
import { vmSpec } from "../../core/index.ts";
import type { AnswerOf } from "../../runtime-real/index.ts";

export const exampleVm: AnswerOf<"vm.show">["vm"] = {
  name: "web",
  tenant: "acme",
  spec: vmSpec({ hypervisor: "qemu", tenant: "acme" }),
  state: "Scheduled",
  desired: "running",
  reason: "",
  generation: 1,
  epoch: 7,
  workerId: 2,
  placed: { vcpus: 4, memoryMiB: 4096, diskGiB: 5 },
  eviction: null,
  targetId: null,
  avoidId: null,
  restarts: 0,
  relocations: 0,
  runningSinceMs: 0,
  addresses: [],
  createdIndex: 5,
  updatedIndex: 9,
  createdAtMs: 0,
  updatedAtMs: 0,
};

export const exampleTask: AnswerOf<"task.show">["task"] = {
  id: "backup",
  command: "/usr/bin/backup",
  args: ["--all"],
  resources: { vcpus: 1, memoryMiB: 256, diskGiB: 0 },
  features: [],
  tenant: "acme",
  timeoutMs: 1000,
  attemptsMax: 3,
  state: "Running",
  attempt: 2,
  workerId: 2,
  isCancelled: false,
  exitCode: null,
  output: "",
  reason: "",
  createdIndex: 6,
  updatedIndex: 6,
  updatedAtMs: 0,
};
