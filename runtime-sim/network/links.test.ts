import { expect, test } from "vitest";
import { Streams } from "../random/index.ts";
import { Links } from "./links.ts";
import { CALM_LINK, type LinkParameters, Network } from "./network.ts";

/** How many of a hundred messages get through. */
function delivered(network: Network, from: number, to: number): number {
  const out = new Float64Array(2);
  let count = 0;
  for (let sent = 0; sent < 100; sent += 1) count += network.route(from, to, 10, 0, out);
  return count;
}

const deaf = (parameters: LinkParameters): LinkParameters => ({ ...parameters, lossChance: 1 });

test("changes that overlap are taken off in any order, and the link is as before", () => {
  const network = new Network(3, CALM_LINK, new Streams(1).stream("network"));
  const links = new Links(network, CALM_LINK);
  const first = links.overlay(links.touching([0]), deaf);
  const second = links.overlay(links.touching([0, 1]), deaf);
  expect(delivered(network, 0, 1)).toBe(0);
  first();
  expect(delivered(network, 0, 1)).toBe(0);
  expect(delivered(network, 1, 2)).toBe(0);
  second();
  expect(delivered(network, 0, 1)).toBe(100);
  expect(delivered(network, 1, 2)).toBe(100);
});

test("a link that is odd from the beginning is odd again after a fault", () => {
  const network = new Network(2, CALM_LINK, new Streams(1).stream("network"));
  const links = new Links(network, CALM_LINK);
  links.setBase(0, 1, deaf(CALM_LINK));
  const end = links.overlay(links.touching([0]), (parameters) => ({ ...parameters, lossChance: 0 }));
  expect(delivered(network, 0, 1)).toBe(100);
  end();
  expect(delivered(network, 0, 1)).toBe(0);
  expect(delivered(network, 1, 0)).toBe(100);
});

test("of overlapping damage the greatest holds", () => {
  const network = new Network(2, CALM_LINK, new Streams(1).stream("network"));
  const links = new Links(network, CALM_LINK);
  const mild = links.damage([{ from: 0, to: 1 }], 0.1);
  const harsh = links.damage([{ from: 0, to: 1 }], 0.9);
  expect(links.damageChance(0, 1)).toBe(0.9);
  expect(links.damageChance(1, 0)).toBe(0);
  harsh();
  expect(links.damageChance(0, 1)).toBe(0.1);
  mild();
  expect(links.damageChance(0, 1)).toBe(0);
});
