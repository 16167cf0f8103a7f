import { describe, expect, test } from "vitest";
import { blixard } from "./testing/index.ts";

describe("help", () => {
  test.each([
    [["--help"]],
    [["sim", "--help"]],
    [["sim", "list", "--help"]],
    [["sim", "sweep", "--help"]],
    [["sim", "check-history", "--help"]],
  ])("%j has an example that begins with the command", async (args) => {
    const { code, out, err } = await blixard(args);
    expect([code, err]).toEqual([0, ""]);
    const examples = out.slice(out.indexOf("\nExamples:\n"));
    expect(examples).toContain(`$ ${["blixard", ...args.slice(0, -1)].join(" ")}`);
  });

  test("no command at all is wrong usage, and the help says what there is", async () => {
    const { code, out, err } = await blixard([]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain("Usage: blixard");
  });

  test("the version is the package's", async () => {
    expect(await blixard(["--version"])).toEqual({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+$/), err: "" });
  });
});

describe("wrong usage exits with 2, says what is wrong on stderr and what to do", () => {
  test.each([
    ["simm --seed 1", "unknown command 'simm'", "Did you mean sim?"],
    ["sim byzantin --seed 1", 'there is no scenario "byzantin"', "did you mean byzantine?"],
    ["sim swep", 'there is no scenario "swep"', "did you mean sweep?"],
    ["sim sweep calm byzantin", 'there is no scenario "byzantin"', "did you mean byzantine?"],
    ["sim kubernetes", 'there is no scenario "kubernetes"', "blixard sim list names them all"],
    ["sim calm --sed 1", "unknown option '--sed'", "Did you mean --seed?"],
    ["sim calm --seed -1", "--seed", "an integer from 0 to"],
    ["sim calm --seed", "'--seed <n>' argument missing", "blixard sim --help"],
    ["sim calm --nodes 8", "'--nodes <n>' argument '8' is invalid", "from 1 to 7"],
    ["sim calm --duration 10", "'--duration <time>' argument '10' is invalid", "such as 90s"],
    ["sim calm partitions", "too many arguments", "blixard sim --help"],
    ["sim calm --verdicts", "--verdicts does not go with calm", "sim byzantine --verdicts"],
    ["sim sweep --seeds 9..1", "'--seeds <range>' argument '9..1' is invalid", "write 1..9"],
    ["sim sweep --shard 0/4", "'--shard <part/parts>' argument '0/4' is invalid", "counted from 1"],
    ["sim sweep --time soon", "'--time <time>' argument 'soon' is invalid", "such as 90s"],
    ["sim sweep --seeds 0..9007199254740991", "more runs than can be counted", "--shard"],
    ["sim --json sweep", "--json stands before sweep", "blixard sim sweep --json"],
    ["sim --seed 5 list", "--seed stands before list", "leave it out"],
    ["sim list calm", "too many arguments", "blixard sim list --help"],
    ["sim check-history", "missing required argument 'file'", "blixard sim check-history --help"],
  ])("%s", async (line, wrong, hint) => {
    const { code, out, err } = await blixard(line.split(" "));
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(/^error: /);
    expect(err).toContain(wrong);
    expect(err).toContain(hint);
  });
});

describe("what cannot be done exits with 1, names the file and says what to do", () => {
  test.each([
    ["sim calm --faults none.json", "cannot read none.json (ENOENT)", "check the path"],
    ["sim calm --faults package.json", "package.json: ", "docs/simulator.md"],
    ["sim calm --faults README.md", "README.md: ", "docs/simulator.md"],
    ["sim calm --trace none/trace.jsonl", "cannot write none/trace.jsonl (ENOENT)", "check the path"],
    ["sim calm --save-faults cli", "cannot write cli: it is a folder", "name a file"],
    ["sim sweep calm --junit none/sweep.xml", "cannot write none/sweep.xml (ENOENT)", "check the path"],
    ["sim check-history none.jsonl", "cannot read none.jsonl (ENOENT)", "check the path"],
    ["sim check-history LICENSE", "LICENSE, line 2: is not JSON", "docs/simulator.md"],
  ])("%s", async (line, wrong, hint) => {
    const { code, out, err } = await blixard(line.split(" "));
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain(`error: ${wrong}`);
    expect(err).toContain(hint);
  });
});
