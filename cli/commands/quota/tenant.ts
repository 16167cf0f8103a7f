/** A tenant as the API answers it, and the resources that a quota limits. */
import type { AnswerOf } from "../../../runtime-real/index.ts";

export type Tenant = AnswerOf<"quota.list">["tenants"][number];

export const RESOURCES = [
  { key: "vms", name: "VMs" },
  { key: "vcpus", name: "vCPUs" },
  { key: "memoryMiB", name: "memory MiB" },
  { key: "diskGiB", name: "disk GiB" },
] as const;
