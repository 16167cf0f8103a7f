import { expect, test } from "vitest";
import type { SimMember } from "./member.ts";
import { smallWorld } from "./testing/index.ts";

/** Three members after a second. */
function begun() {
  const { world } = smallWorld();
  while (world.advance(1_000_000));
  const [first, second] = world.members.all;
  if (first === undefined || second === undefined) return expect.unreachable();
  const isHampered = (member: SimMember): boolean =>
    world.conditions.host(member).hamperedUntilUs > world.conditions.nowUs;
  return { world, first, second, isHampered };
}

test("an ordinary host is not hampered", () => {
  const { world, first, isHampered } = begun();
  expect(isHampered(first)).toBe(false);
  expect(world.conditions.host(first)).toMatchObject({ clockChanges: 0, keepsInputsWaiting: false });
});

test("whatever keeps a process from working hampers it, until it ends", () => {
  const { world, first, second, isHampered } = begun();
  const { host } = first;
  const { nowUs } = world.loop;

  world.processes.pause(host);
  expect([isHampered(first), isHampered(second)]).toEqual([true, false]);
  world.processes.resume(host);
  expect(isHampered(first)).toBe(false);

  host.slowness.push(1000);
  expect(isHampered(first)).toBe(true);
  host.slowness.pop();

  host.clock.setRate(1.2, nowUs);
  expect(isHampered(first)).toBe(true);
  host.clock.setRate(1.05, nowUs);
  expect(isHampered(first)).toBe(false);

  host.clock.freeze(nowUs + 5000, nowUs);
  expect(world.conditions.host(first).hamperedUntilUs).toBe(nowUs + 5000);
  host.clock.thaw(nowUs);

  first.storage.stall(nowUs + 7000);
  expect(world.conditions.host(first).hamperedUntilUs).toBe(nowUs + 7000);
  first.storage.heal(world.loop.nowUs);
  expect(isHampered(first)).toBe(false);
});

test("a paused process keeps inputs waiting from the first that comes until it has taken them all", () => {
  const { world, first } = begun();
  const isWaiting = (): boolean => world.conditions.host(first).keepsInputsWaiting;
  world.processes.pause(first.host);
  expect(isWaiting()).toBe(false);
  while (world.advance(world.loop.nowUs + 1_000_000) && !isWaiting());
  expect(isWaiting()).toBe(true);
  world.processes.resume(first.host);
  expect(isWaiting()).toBe(true);
  while (world.advance(world.loop.nowUs + 1_000_000) && isWaiting());
  expect(isWaiting()).toBe(false);
});

test("a disk is hampered until the sync that began while it was slow has ended", () => {
  const { world, first, isHampered } = begun();
  const { nowUs } = world.loop;
  first.storage.slow(10_000, nowUs + 10, nowUs);
  first.storage.submit({ id: 1_000_000, hardState: null, snapshot: null, entries: null }, nowUs);
  world.processes.armDisk(first);
  while (world.advance(nowUs + 50));
  expect(isHampered(first)).toBe(true);
  while (world.advance(nowUs + 1_000_000));
  expect(isHampered(first)).toBe(false);
});

test("a link is as the network and its faults make it", () => {
  const { world, first, second } = begun();
  expect(world.conditions.link(first, second)).toMatchObject({ isBlocked: false, lossChance: 0, damageChance: 0 });
  world.network.setBlocked(first.host.index, second.host.index, true);
  const links = [{ from: first.host.index, to: second.host.index }];
  world.links.overlay(links, (parameters) => ({ ...parameters, lossChance: 0.5, capacityBytesPerSecond: 1000 }));
  world.links.damage(links, 0.25);
  world.network.clog(first.host.index, second.host.index, 2_000_000);
  expect(world.conditions.link(first, second)).toEqual({
    isBlocked: true,
    cloggedUntilUs: 2_000_000,
    hasLimit: true,
    lossChance: 0.5,
    delayMinMs: 1,
    delayMeanMs: 0,
    tailChance: 0,
    tailFactor: 1,
    damageChance: 0.25,
  });
  expect(world.conditions.link(second, first)).toMatchObject({ isBlocked: false, hasLimit: false, damageChance: 0 });
});
