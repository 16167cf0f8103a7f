/** Records as they are before a test says otherwise. */
import {
  NO_PLACEMENT,
  NO_RESOURCES,
  type TaskRecord,
  type VmRecord,
  type WorkerRecord,
} from "../../../../core/index.ts";

/** Online: 10 vcpus, 10,240 MiB and 100 GiB; the first two share a rack. */
export function workerRecord(id: number): WorkerRecord {
  return {
    id,
    bootId: 1,
    registeredIndex: 0,
    availability: "online",
    isOnline: true,
    assignedIndex: 0,
    used: NO_RESOURCES,
    reserved: NO_RESOURCES,
    vms: [],
    tasks: [],
    nominees: [],
    capacity: { vcpus: 10, memoryMiB: 10_240, diskGiB: 100 },
    features: [],
    topology: { datacenter: "dc", zone: "zone", rack: id <= 2 ? "rack-1" : "rack-2" },
    costPerHour: 0,
    driver: "fake",
    guestsVia: [],
  };
}

export const NEW_VM: Omit<VmRecord, "name" | "tenant" | "spec"> = {
  state: "Pending",
  desired: "running",
  generation: 1,
  epoch: 0,
  ...NO_PLACEMENT,
  createdIndex: 0,
  updatedIndex: 0,
  createdAtMs: 0,
  updatedAtMs: 0,
};

export const NEW_TASK: Omit<TaskRecord, "id"> = {
  command: "work",
  args: [],
  resources: { vcpus: 1, memoryMiB: 1024, diskGiB: 1 },
  features: [],
  tenant: "default",
  timeoutMs: 1000,
  attemptsMax: 1,
  state: "Pending",
  attempt: 0,
  workerId: null,
  isCancelled: false,
  exitCode: null,
  output: "",
  reason: "",
  createdIndex: 0,
  updatedIndex: 0,
  updatedAtMs: 0,
};
