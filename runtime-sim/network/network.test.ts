import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Streams } from "../random/index.ts";
import { CALM_LINK, type LinkParameters, Network } from "./network.ts";
import { bridgeLinks, groupLinks, isolateLinks, type LinkList, pairLinks, ringLinks } from "./partition.ts";

const out = new Float64Array(2);

function network(parameters: Partial<LinkParameters> = {}, hostCount = 5): Network {
  return new Network(hostCount, { ...CALM_LINK, ...parameters }, new Streams(1).stream("network"));
}

/** Arrival times of one message. */
function send(net: Network, nowUs: number, sizeBytes = 100, from = 0, to = 1): number[] {
  return [...out.subarray(0, net.route(from, to, sizeBytes, nowUs, out))];
}

describe("messages", () => {
  test("arrive later than they were sent, at whole microseconds, no sooner than the least delay", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 30, noNaN: true }),
        fc.double({ min: 0, max: 100, noNaN: true }),
        (min, mean) => {
          const net = network({
            delayMinMs: min,
            delayMeanMs: mean,
            duplicateChance: 0.5,
            tailChance: 0.1,
            tailFactor: 10,
          });
          for (let nowUs = 0; nowUs < 1e6; nowUs += 50_001) {
            for (const arrivesUs of send(net, nowUs)) {
              expect(Number.isSafeInteger(arrivesUs)).toBe(true);
              expect(arrivesUs).toBeGreaterThan(nowUs);
              expect(arrivesUs).toBeGreaterThanOrEqual(nowUs + Math.floor(min * 1000));
            }
          }
        },
      ),
    );
  });

  test("are lost, duplicated and delayed as often and as long as asked, and counted", () => {
    const net = network({ lossChance: 0.2, duplicateChance: 0.4, delayMinMs: 5, delayMeanMs: 20 });
    let copies = 0;
    let delaySumUs = 0;
    for (let i = 0; i < 50_000; i += 1) {
      for (const arrivesUs of send(net, 1000)) {
        copies += 1;
        delaySumUs += arrivesUs - 1000;
      }
    }
    const { sent, lost, duplicated, blocked } = net.counters;
    expect([sent, blocked, copies]).toEqual([50_000, 0, sent - lost + duplicated]);
    expect(Math.abs(lost / sent - 0.2)).toBeLessThan(0.01);
    expect(Math.abs(duplicated / (sent - lost) - 0.4)).toBeLessThan(0.01);
    expect(Math.abs(delaySumUs / copies / 1000 - 25)).toBeLessThan(0.5);
  });

  test("overtake one another, and so may a second copy", () => {
    const net = network({ duplicateChance: 1, delayMeanMs: 10 });
    const arrivals = Array.from({ length: 50 }, (_, i) => send(net, i));
    expect(arrivals.some(([first, second]) => first !== undefined && second !== undefined && second < first)).toBe(
      true,
    );
    const firsts = arrivals.map(([first]) => first ?? 0);
    expect(firsts).not.toEqual(firsts.toSorted((a, b) => a - b));
  });

  test("have a slow tail", () => {
    const net = network({ delayMinMs: 1, delayMeanMs: 0, tailChance: 0.25, tailFactor: 100 });
    const slow = Array.from({ length: 10_000 }, () => send(net, 0)[0]).filter((arrivesUs) => arrivesUs === 100_001);
    expect(Math.abs(slow.length / 10_000 - 0.25)).toBeLessThan(0.02);
  });

  test("queue behind a link's capacity, and are lost when the queue is full", () => {
    const net = network({ delayMinMs: 0, delayMeanMs: 0, capacityBytesPerSecond: 1_000_000, queueBytes: 2500 });
    expect([0, 1, 2, 3, 4].map(() => send(net, 0, 1000))).toEqual([[1001], [2001], [3001], [], []]);
    expect(net.counters.lost).toBe(2);
    expect(send(net, 1500, 1000)).toEqual([4001]);
    expect(send(net, 0, 1000, 1, 0)).toEqual([1001]);
    expect(send(net, 10_000, 1000)).toEqual([11_001]);
  });

  test("are held back by a clog and leave when it ends", () => {
    const net = network({ delayMinMs: 1, delayMeanMs: 0 });
    net.clog(0, 1, 50_000);
    net.clog(0, 1, 20_000);
    expect([send(net, 0), send(net, 0, 100, 1, 0), send(net, 60_000)]).toEqual([[51_001], [1001], [61_001]]);
    net.unclog(0, 1);
    expect(send(net, 0)).toEqual([1001]);
  });

  test("fare alike for the same seed", () => {
    const fates = (): number[][] => {
      const net = network({ lossChance: 0.3, duplicateChance: 0.3, delayMeanMs: 9, tailChance: 0.1, tailFactor: 3 });
      return Array.from({ length: 200 }, (_, i) => send(net, i));
    };
    expect(fates()).toEqual(fates());
  });
});

describe("partitions", () => {
  test("overlap in any way, and each takes away only its own blocks", () => {
    const link = fc.record({ from: fc.nat({ max: 4 }), to: fc.nat({ max: 4 }) });
    const shape = fc.array(link, { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(fc.tuple(shape, fc.nat({ max: 9 }), fc.boolean()), { maxLength: 30 }), (steps) => {
        const net = network();
        const held = new Map<number, LinkList>();
        const check = (): void => {
          for (let from = 0; from < 5; from += 1) {
            for (let to = 0; to < 5; to += 1) {
              const covered = [...held.values()].some((links) => links.some((l) => l.from === from && l.to === to));
              expect(net.isBlocked(from, to)).toBe(covered);
              expect(send(net, 0, 1, from, to).length).toBe(covered ? 0 : 1);
            }
          }
        };
        for (const [links, which, blocks] of steps) {
          const token = [...held.keys()][which];
          if (blocks || token === undefined) held.set(net.block(links), links);
          else {
            expect(net.unblock(token)).toBe(true);
            expect(net.unblock(token)).toBe(false);
            held.delete(token);
          }
          check();
        }
        for (const token of [...held.keys()]) {
          net.unblock(token);
          held.delete(token);
        }
        check();
      }),
    );
  });

  test("one that was healed does not take away a later one's blocks", () => {
    const net = network();
    const before = net.block(isolateLinks(0, 5, "both"));
    net.clog(1, 2, 1e9);
    net.heal();
    expect([net.isBlocked(0, 1), send(net, 0, 1, 1, 2).length]).toEqual([false, 1]);
    expect(send(net, 0, 1, 1, 2)[0]).toBeLessThan(1e6);
    net.block(isolateLinks(0, 5, "both"));
    expect(net.unblock(before)).toBe(false);
    expect(net.isBlocked(0, 1)).toBe(true);
    expect(() => net.setBlocked(3, 4, false)).toThrow("host 3 to host 4");
  });

  test("have the shapes that their names say", () => {
    /** Who reaches whom: one row a host. */
    const reach = (links: LinkList, hostCount = 5): string[] => {
      const net = network({}, hostCount);
      net.block(links);
      const hosts = Array.from({ length: hostCount }, (_, host) => host);
      return hosts.map((from) => hosts.map((to) => (from === to ? "-" : net.isBlocked(from, to) ? "." : "x")).join(""));
    };
    expect(reach(isolateLinks(1, 3, "both"), 3)).toEqual(["-.x", ".-.", "x.-"]);
    expect(reach(isolateLinks(1, 3, "outbound"), 3)).toEqual(["-xx", ".-.", "xx-"]);
    expect(reach(isolateLinks(1, 3, "inbound"), 3)).toEqual(["-.x", "x-x", "x.-"]);
    expect(reach(groupLinks([0, 0, 1, 1, 2], "both"))).toEqual(["-x...", "x-...", "..-x.", "..x-.", "....-"]);
    expect(reach(groupLinks([0, 0, 1, 1, 1], "outbound"))).toEqual(["-x...", "x-...", "xx-xx", "xxx-x", "xxxx-"]);
    expect(reach(groupLinks([0, 0, 1, 1, 1], "inbound"))).toEqual(["-xxxx", "x-xxx", "..-xx", "..x-x", "..xx-"]);
    expect(reach(bridgeLinks([0, 0, 1, 1, 1], 2, "both"))).toEqual(["-xx..", "x-x..", "xx-xx", "..x-x", "..xx-"]);
    expect(reach(ringLinks([0, 1, 2, 3, 4]))).toEqual(["-x..x", "x-x..", ".x-x.", "..x-x", "x..x-"]);
    expect(reach(ringLinks([4, 2, 0]))).toEqual(reach([]));
    expect(reach(pairLinks(0, 2, "both"), 3)).toEqual(["-x.", "x-x", ".x-"]);
    expect(reach(pairLinks(0, 2, "outbound"), 3)).toEqual(["-x.", "x-x", "xx-"]);
    expect(reach(pairLinks(0, 2, "inbound"), 3)).toEqual(["-xx", "x-x", ".x-"]);
  });
});

test("the state of a link is what it does now, faults included", () => {
  const net = network({ lossChance: 0.25, delayMinMs: 2, delayMeanMs: 0.5 });
  const usual = { lossChance: 0.25, delayMinMs: 2, delayMeanMs: 0.5, tailChance: 0, tailFactor: 1, hasLimit: false };
  expect(net.stateOf(0, 1)).toEqual({ ...usual, isBlocked: false, cloggedUntilUs: 0 });
  net.block(isolateLinks(0, 5, "outbound"));
  net.clog(0, 1, 5000);
  expect(net.stateOf(0, 1)).toEqual({ ...usual, isBlocked: true, cloggedUntilUs: 5000 });
  expect(net.stateOf(1, 0)).toEqual({ ...usual, isBlocked: false, cloggedUntilUs: 0 });
  net.setLink(1, 0, { ...CALM_LINK, tailChance: 0.125, tailFactor: 8, capacityBytesPerSecond: 1000 });
  expect(net.stateOf(1, 0)).toMatchObject({ tailChance: 0.125, tailFactor: 8, hasLimit: true });
});

test("hosts join a running network, and its faults stay as they are", () => {
  const net = network({}, 3);
  net.setLink(0, 1, { ...CALM_LINK, lossChance: 1 });
  const token = net.block(isolateLinks(2, 3, "both"));
  for (let host = 3; host < 40; host += 1) expect(net.addHost()).toBe(host);
  expect(net.hostCount).toBe(40);
  expect([
    send(net, 0).length,
    net.isBlocked(2, 0),
    send(net, 0, 1, 39, 2).length,
    send(net, 0, 1, 0, 39).length,
  ]).toEqual([0, true, 1, 1]);
  net.unblock(token);
  expect(net.isBlocked(0, 2)).toBe(false);
  net.setAllLinks({ ...CALM_LINK, duplicateChance: 1 });
  expect(send(net, 0).length).toBe(2);
  net.addHost();
  expect([send(net, 0, 1, 40, 0).length, send(net, 0, 1, 0, 40).length]).toEqual([2, 2]);
  expect(() => send(net, 0, 1, 0, 41)).toThrow(RangeError);
});
