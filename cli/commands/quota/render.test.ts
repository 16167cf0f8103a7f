/** What `quota list` prints. */
import { expect, test } from "vitest";
import { renderQuotas } from "./list.ts";

test("the limits of a tenant fit 80 columns", () => {
  const quota = {
    vms: 50,
    vcpus: 200,
    memoryMiB: 204_800,
    diskGiB: 2048,
    vmsPerWorker: 25,
    createsPerMinute: 10,
    deletesPerMinute: 20,
    requestsPerSecond: 100,
    requestsBurst: 200,
  };
  const usage = { vms: 0, vcpus: 0, memoryMiB: 0, diskGiB: 0 };
  expect(renderQuotas([{ tenant: "acme", quota, usage }], 80)).toEqual([
    "TENANT  VMS  A WORKER  VCPUS      MIB  DISK GIB  CREATES  DELETES  CHANGES",
    "acme     50        25    200  204,800     2,048   10/min   20/min    100/s",
  ]);
});
