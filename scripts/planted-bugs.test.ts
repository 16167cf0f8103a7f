import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PLANTS } from "./planted-bugs.ts";

for (const { name, file, edits } of PLANTS) {
  test(`${name} still has its place in ${file}`, async () => {
    const source = await readFile(join(import.meta.dirname, "..", file), "utf8");
    for (const { find } of edits) expect(source.split(find)).toHaveLength(2);
  });
}
