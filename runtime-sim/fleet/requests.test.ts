import { expect, test } from "vitest";
import type { ClientAnswer } from "../../core/index.ts";
import { type FleetCall, Requests } from "./requests.ts";

const restart: FleetCall = { by: "tenants", asked: { kind: "write", command: { kind: "restartVm", name: "web" } } };
const cancel: FleetCall = { by: "tenants", asked: { kind: "write", command: { kind: "cancelTask", id: "job" } } };
const read: FleetCall = {
  by: "askers",
  asked: { kind: "read", query: { kind: "getVm", name: "web" }, consistency: "stale" },
};

function applied(result: Extract<ClientAnswer, { readonly kind: "applied" }>["result"]): ClientAnswer {
  return { kind: "applied", index: 1, term: 1, result };
}

test("requests are counted by what was asked and how it ended", () => {
  const requests = new Requests(null);
  requests.ended(restart, applied({ ok: true, kind: "schedulerConfigured" }));
  requests.ended(restart, applied({ ok: false, refusal: { kind: "vmNotFound" } }));
  requests.ended(restart, applied({ ok: false, refusal: { kind: "vmNotFound" } }));
  requests.ended(restart, { kind: "refused", refusal: { kind: "noLeader" } });
  requests.ended(cancel, null);
  requests.ended(read, { kind: "read", index: 1, result: { kind: "vm", vm: null } });
  expect(requests.counts).toEqual({
    "cancelTask brokenOff": 1,
    "getVm ok": 1,
    "restartVm noLeader": 1,
    "restartVm ok": 1,
    "restartVm vmNotFound": 2,
  });
});

test("who judges is told when a request is sent, and when its answer comes, unless the connection breaks", () => {
  const told: string[] = [];
  const requests = new Requests({
    called: ({ by }) => void told.push(`called by ${by}`),
    answered: ({ by }, { kind }) => void told.push(`${kind} for ${by}`),
  });
  requests.begun(read);
  requests.ended(read, { kind: "refused", refusal: { kind: "noLeader" } });
  requests.begun(cancel);
  requests.ended(cancel, null);
  expect(told).toEqual(["called by askers", "refused for askers", "called by tenants"]);
});
