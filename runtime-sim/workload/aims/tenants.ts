/** What operators say of tenants: loose limits, tight ones, none. */
import { DEFAULT_QUOTA, type Quota } from "../../../core/index.ts";
import type { Stream } from "../../random/index.ts";
import { type Aim, read, write } from "./aim.ts";

/** Everybody else is not limited. */
export const LIMITED_TENANTS = ["limited-1", "limited-2"] as const;

function drawQuota(rng: Stream): Quota {
  switch (rng.integer(1, 4)) {
    case 1:
      return DEFAULT_QUOTA;
    case 2:
      return { ...DEFAULT_QUOTA, vms: rng.integer(0, 2), vcpus: rng.integer(1, 8) };
    case 3:
      return { ...DEFAULT_QUOTA, createsPerMinute: rng.integer(0, 2), deletesPerMinute: rng.integer(0, 30) };
    default:
      return { ...DEFAULT_QUOTA, requestsPerSecond: rng.integer(0, 2), requestsBurst: rng.integer(0, 2) };
  }
}

export const tenantAims: readonly Aim[] = [
  read(2, () => ({ kind: "listTenants" })),
  write("ok", 3, ({ rng }) => {
    const tenant = rng.pick(LIMITED_TENANTS);
    return { kind: "setQuota", tenant, quota: rng.chance(0.25) ? null : drawQuota(rng) };
  }),
];
