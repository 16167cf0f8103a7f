import fc from "fast-check";
import { expect, test } from "vitest";
import { FaultAtlas } from "./atlas.ts";

test("whoever asks first, a majority of the voters stays whole", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 7 }), fc.array(fc.nat({ max: 9 })), (voterCount, hosts) => {
      const voters = Array.from({ length: voterCount }, (_, host) => host);
      const atlas = new FaultAtlas();
      for (const host of hosts) if (atlas.mayDamage(host, voters)) atlas.markDamaged(host);
      const whole = voters.filter((host) => !atlas.isDamaged(host)).length;
      expect(2 * whole).toBeGreaterThan(voterCount);
      // And it does not refuse what it could grant.
      if (new Set(hosts.filter((host) => host < voterCount)).size * 2 > voterCount) {
        expect(voterCount - whole).toBe(Math.floor((voterCount - 1) / 2));
      }
    }),
  );
});

test("a host that is whole again makes room for another", () => {
  const atlas = new FaultAtlas();
  atlas.markDamaged(0);
  expect([atlas.mayDamage(1, [0, 1, 2]), atlas.mayDamage(0, [0, 1, 2]), atlas.mayDamage(5, [0, 1, 2])]).toEqual([
    false,
    true,
    true,
  ]);
  atlas.markSound(0);
  expect(atlas.mayDamage(1, [0, 1, 2])).toBe(true);
  expect(atlas.size).toBe(0);
});
