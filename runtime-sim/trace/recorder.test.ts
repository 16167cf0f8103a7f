import { beforeAll, describe, expect, test } from "vitest";
import { CALM_FLEET } from "../fleet/index.ts";
import { Run } from "../run/index.ts";
import { scenario } from "../scenario/index.ts";
import { NO_CLIENTS } from "../workload/index.ts";
import type { TraceEvent, Transition } from "./transition.ts";

/** All links carry bytes, and many arrive damaged. */
const bytesOnly = scenario({
  name: "bytes-only",
  summary: "Messages travel as bytes, a host is cut off, and one that runs machines loses its power. For tests.",
  nodes: [3, 3],
  durationMs: 4000,
  byteLinksOneIn: 1,
  workload: NO_CLIENTS,
  fleet: { ...CALM_FLEET, workers: 2 },
});

describe("a run that is watched", () => {
  const events: TraceEvent[] = [];
  const transitions: Transition[] = [];
  beforeAll(() => {
    const { schedule } = new Run(bytesOnly, { seed: 1 });
    const fault = { durationMs: 1000, parameters: {} } as const;
    const run = new Run(bytesOnly, {
      seed: 1,
      faults: {
        ...schedule,
        faults: [
          { ...fault, id: 1, atMs: 2000, kind: "isolate", target: [2], parameters: { direction: "both" } },
          { ...fault, id: 4, atMs: 3200, kind: "cut-link", target: [3], parameters: { direction: "outbound" } },
          { ...fault, id: 2, atMs: 2000, kind: "host-down", target: [5] },
          { ...fault, id: 3, atMs: 500, kind: "corrupt-bytes", target: "all", parameters: { chance: 0.3 } },
        ],
      },
      trace: (event) => events.push(event),
      onTransition: (transition) => transitions.push(transition),
    });
    while (!run.advance(100_000));
    expect(run.report().violations).toEqual([]);
  });

  test("shows every message that came as bytes, and why bytes are none", () => {
    const delivered = events.filter(({ kind }) => kind === "deliver");
    expect(delivered.length).toBeGreaterThan(100);
    expect(delivered.every(({ bytes }) => bytes !== undefined)).toBe(true);
    expect(
      delivered.filter(({ message, undecodable }) => (message === undefined) === (undecodable === undefined)),
    ).toEqual([]);
    const texts = delivered.map(({ message }) => JSON.stringify(message ?? null));
    expect(texts.some((text) => text.startsWith('{"type":"append"') && text.includes('"asks":"createVm '))).toBe(true);
    expect(delivered.find(({ undecodable }) => undecodable !== undefined)?.undecodable).toMatch(/checksum|frame/);
  });

  test("names whom a fault hit, when it begins and when it ends, and which links are cut", () => {
    const faults = transitions.filter(({ kind }) => kind === "fault" || kind === "healed");
    const told = faults
      .map(({ kind, detail }) => `${kind}: ${detail}`)
      .filter((line) => !line.includes("corrupt-bytes"));
    const cut = "n1 <> n2, n2 <> n3 worker 10001 worker 10002";
    expect(told).toEqual([
      `fault: isolate (1, hosts 2) on n2 (host 2), for 1000 ms direction=both; cut: ${cut}`,
      "fault: host-down (2, hosts 5) on worker 10002 (host 5), for 1000 ms",
      "healed: isolate (1, hosts 2) on n2 (host 2)",
      "healed: host-down (2, hosts 5) on worker 10002 (host 5)",
      "fault: cut-link (4, hosts 3) on n3 (host 3), for 1000 ms direction=outbound; cut: n3 > n2",
      "healed: cut-link (4, hosts 3) on n3 (host 3)",
    ]);
  });
});
