import { createInterface } from "node:readline/promises";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { isAnsweredYes } from "./confirm.ts";

test("who is asked whether something shall be done may say yes, and no in any way", async () => {
  const answer = async (typed: string): Promise<boolean> => {
    const input = new PassThrough();
    const answered = isAnsweredYes("Delete it?", createInterface({ input, output: new PassThrough(), terminal: true }));
    input.write(typed);
    return await answered;
  };
  expect(await answer("y\r")).toBe(true);
  for (const no of ["n\r", "\r", "\u0003", "\u0004"]) expect(await answer(no)).toBe(false);
});
