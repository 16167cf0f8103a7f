/** What `vm list` and `vm show` print. */
import { expect, test } from "vitest";
import { exampleVm } from "../../testing/index.ts";
import { renderVms } from "./list.ts";
import { renderVm } from "./show.ts";
import { whyWords } from "./why.ts";

const nobody = (): boolean => false;
const everybody = (): boolean => true;
const waiting = { ...exampleVm, name: "db", state: "Pending", workerId: null, placed: null } as const;

test("a list says where each VM is, how large, and why it does not run, in 80 columns", () => {
  expect(renderVms([waiting, exampleVm], everybody, 80)).toEqual([
    "NAME  TENANT  STATE      WORKER  VCPUS    MIB  DISK GIB  WHY",
    "db    acme    Pending         -      2  1,024         5  waits for a place",
    "web   acme    Scheduled       2      2  1,024         5  no VM driver there",
    "",
    "What keeps a VM from being placed: `blixard vm show db` says it.",
  ]);
  const running = { ...exampleVm, state: "Running" } as const;
  expect(renderVms([running], everybody, 80)[1]).toBe("web   acme    Running       2      2  1,024         5");
});

test("a name is whole however narrow the terminal: it is what one types next", () => {
  const name = "a-name-that-is-long-but-has-to-be-typed";
  const failed = {
    ...exampleVm,
    name,
    state: "Failed",
    reason: "its image is not there, and was not there before",
  } as const;
  const [, line = ""] = renderVms([failed], nobody, 80);
  expect(line).toContain(name);
  expect(line.endsWith("…")).toBe(true);
});

test("why a VM does not run is what the state says, and what it cannot know", () => {
  expect(whyWords(exampleVm, nobody)).toBe("");
  expect(whyWords({ ...exampleVm, reason: "asked to restart" }, everybody)).toBe(
    "asked to restart; no VM driver there",
  );
  expect(whyWords({ ...exampleVm, state: "Running", eviction: "drain" }, nobody)).toBe("leaves its worker: drain");
  expect(whyWords({ ...waiting, desired: "stopped" }, nobody)).toBe("");
  const nominated = { ...waiting, targetId: 3, reason: "waits for 2 VMs to leave worker 3" };
  expect(whyWords(nominated, nobody)).toBe("waits for 2 VMs to leave worker 3");
  expect(renderVm(nominated, null, nobody).join("\n")).toMatch(/^worker +none yet: room is made for it on worker 3$/m);
});

test("one VM is shown with its size in units, and with what keeps it from a place", () => {
  const shown = renderVm(exampleVm, null, everybody).join("\n");
  expect(shown).toMatch(/^state +Scheduled: no VM driver there \(desired running\)$/m);
  expect(shown).toMatch(/^size +2 vCPUs, 1,024 MiB of memory, 5 GiB of disk$/m);
  const nowhere = { workerId: null, preemption: null, judgements: [], refusals: [] };
  expect(renderVm(waiting, nowhere, nobody).join("\n")).toMatch(/^worker +fits nowhere: there are no workers$/m);
});
