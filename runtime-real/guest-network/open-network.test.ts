import { expect, test } from "vitest";
import { mayChangeNetwork } from "./open-network.ts";

test.each([
  ["000001ffffffffff", true],
  ["0000000000001000", true],
  ["0000000000000fff", false],
  ["0000000000000000", false],
])("a process with the capabilities %s may change the network: %s", (capabilities, may) => {
  expect(mayChangeNetwork(`Name:\tnode\nCapPrm:\tffffffffffffffff\nCapEff:\t${capabilities}\n`)).toBe(may);
});
