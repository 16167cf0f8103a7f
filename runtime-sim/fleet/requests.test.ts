import { expect, test } from "vitest";
import type { ClientAnswer, Command } from "../../core/index.ts";
import { Requests } from "./requests.ts";

const restart: Command = { kind: "restartVm", name: "web" };
const cancel: Command = { kind: "cancelTask", id: "job" };

function applied(result: Extract<ClientAnswer, { readonly kind: "applied" }>["result"]): ClientAnswer {
  return { kind: "applied", index: 1, term: 1, result };
}

test("requests are counted by what was asked and how it ended", () => {
  const requests = new Requests();
  requests.ended(restart, applied({ ok: true, kind: "schedulerConfigured" }));
  requests.ended(restart, applied({ ok: false, refusal: { kind: "vmNotFound" } }));
  requests.ended(restart, applied({ ok: false, refusal: { kind: "vmNotFound" } }));
  requests.ended(restart, { kind: "refused", refusal: { kind: "noLeader" } });
  requests.ended(cancel, null);
  expect(requests.counts).toEqual({
    "cancelTask brokenOff": 1,
    "restartVm noLeader": 1,
    "restartVm ok": 1,
    "restartVm vmNotFound": 2,
  });
});
