import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { schema } from "../../core/index.ts";
import { addFieldOptions, flagsOf, type OwnFlag } from "./field-options.ts";

const { choice, flag, hundredths, integer, label, list, map, nullable, record, text } = schema;

const machine = record({
  name: label.doc("Its name"),
  nickname: text(0, 40).doc("What people call it").default(""),
  memoryMiB: integer(1, 4096).doc("Memory in MiB").default(1024),
  factor: hundredths(1, 10).default(1.5),
  bootOrder: list(choice(["disk", "net"]), { lengthMax: 2 }).default([]),
  rack: nullable(integer(0, 9)).doc("Where it stands").default(null),
  isSpare: flag.doc("Nobody uses it").default(false),
  watched: flag.doc("Somebody looks at it").default(true),
  disks: list(record({ sizeGiB: integer(1, 9) }), { lengthMax: 2 }).default([]),
  labels: map(label, text(0, 9), 3).default({}),
});
type Machine = Partial<schema.Infer<typeof machine>>;

const own: readonly OwnFlag<Machine>[] = [
  { field: "memoryMiB", flags: "--memory <MiB>" },
  {
    field: "labels",
    flags: "--label <name>",
    about: "a word for it",
    read: (word, value) => ({ ...value, labels: { ...value.labels, [word]: "" } }),
  },
];
const flags = flagsOf(machine, own);

test("flags are named like their fields, and say what the definition says", () => {
  expect(flags.map(({ flags: names, about, fallback }) => [names, about, fallback])).toEqual([
    ["--name <name>", "its name", null],
    ["--nickname <text>", "what people call it, at most 40 characters", null],
    ["--memory <MiB>", "memory in MiB, 1 to 4,096", "1,024"],
    ["--factor <n>", "1 to 10", "1.5"],
    ["--boot-order <name>", "may be repeated", null],
    ["--rack <n>", "where it stands, 0 to 9", null],
    ["--is-spare", "nobody uses it", "false"],
    ["--watched", "somebody looks at it", "true"],
    ["--no-watched", "not watched", null],
    ["--label <name>", "a word for it", null],
  ]);
});

describe("what is given becomes one value", () => {
  function parsed(...args: string[]): unknown {
    const command = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
    addFieldOptions(command, flags, {}, { attribute: "machine", heading: "Machine:", defaults: true });
    return command.parse(args, { from: "user" }).opts()["machine"];
  }

  test("with what each field holds", () => {
    expect(parsed("--memory", "64", "--factor", "1.25", "--rack", "3", "--nickname", "a b", "--is-spare")).toEqual({
      memoryMiB: 64,
      factor: 1.25,
      rack: 3,
      nickname: "a b",
      isSpare: true,
    });
  });

  test("where a list grows, and the later of two flags wins", () => {
    expect(parsed("--boot-order", "net", "--boot-order", "disk", "--watched", "--no-watched", "--label", "x")).toEqual({
      bootOrder: ["net", "disk"],
      watched: false,
      labels: { x: "" },
    });
  });

  test("and nothing is said of what is not given", () => expect(parsed()).toBeUndefined());

  test.each([
    [["--memory", "1.5"], "Give a whole number"],
    [["--memory", "-1"], "Give a whole number"],
    [["--factor", "1.555"], "Give a number such as 1.5"],
    [["--boot-order", "tape"], "Allowed choices are disk, net"],
  ])("%j is not understood", (args, words) => expect(() => parsed(...args)).toThrow(words));
});
