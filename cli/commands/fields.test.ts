/**
 * docs/fields.md is made from the core's definitions: after a change of a field,
 * `npx vitest run cli/commands/fields.test.ts -u` writes it anew.
 */
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  ipPoolSpecSchema,
  quotaSchema,
  schedulerSettingsSchema,
  type schema,
  taskSpecSchema,
  vmSpecSchema,
} from "../../core/index.ts";
import { count } from "../output/index.ts";

const document = join(import.meta.dirname, "../../docs/fields.md");

const HEAD = `# Fields

What may be asked for, as the HTTP API has it, and files for \`blixard vm create -f\`: JSON or TOML, by these names. A field
with a default may be left out. \`networks[].tags\` is a field of each entry of the list \`networks\`. A *label* has
lower-case letters, digits and inner hyphens (RFC 1123).

This page is made from the definitions in \`core/domain/\`.
`;

const TABLE_HEAD = `
| field | value | default | meaning |
|---|---|---|---|
`;

const SECTIONS: readonly (readonly [title: string, part: schema.Part])[] = [
  ["A VM's specification", vmSpecSchema],
  ["A task", taskSpecSchema],
  ["A tenant's quota", quotaSchema],
  ["An address pool", ipPoolSpecSchema],
  ["How VMs are placed", schedulerSettingsSchema],
];

test("the manual has every field with its bounds, its default and its meaning", async () => {
  const sections = SECTIONS.map(([title, part]) => `\n## ${title}\n${TABLE_HEAD}${tableOf(part)}`);
  await expect(`${HEAD}${sections.join("")}`).toMatchFileSnapshot(document);
});

function tableOf(part: schema.Part): string {
  return rowsOf("", part)
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`)
    .join("");
}

type Row = readonly [field: string, value: string, fallback: string, meaning: string];

/** The part itself, and all that is within it. */
function rowsOf(path: string, part: schema.Part): Row[] {
  const { definition, traits } = part;
  const fallback = path === "" || traits.fallback === undefined ? "" : `\`${JSON.stringify(traits.fallback)}\``;
  const own: Row[] = path === "" ? [] : [[`\`${path}\``, valueWords(definition), fallback, traits.doc]];
  return [...own, ...innerOf(path, definition)];
}

function innerOf(path: string, definition: schema.Definition): Row[] {
  switch (definition.kind) {
    case "record":
      return definition.fields.flatMap((field) => rowsOf(path === "" ? field.name : `${path}.${field.name}`, field));
    case "nullable":
    case "ruled":
      return innerOf(path, definition.of.definition);
    case "list":
      return innerOf(`${path}[]`, definition.of.definition);
    case "either":
      return merged(definition.options.flatMap((option) => innerOf(path, option.definition)));
    case "variants":
      return [
        [`\`${path}.kind\``, definition.shapes.map(({ kind }) => `\`${kind}\``).join(", "), "", ""],
        ...merged(
          definition.shapes.flatMap(({ fields }) => fields.flatMap((field) => rowsOf(`${path}.${field.name}`, field))),
        ),
      ];
    default:
      return [];
  }
}

/** Shapes may have a field in common, with other values. */
function merged(rows: readonly Row[]): Row[] {
  const byField = Map.groupBy(rows, ([field]) => field);
  return [...byField].map(([field, [first, ...others]]) => {
    const [, value = "", fallback = "", meaning = ""] = first ?? [];
    return [field, [...new Set([value, ...others.map((row) => row[1])])].join(" or "), fallback, meaning];
  });
}

function valueWords(definition: schema.Definition): string {
  switch (definition.kind) {
    case "integer":
      return `integer, ${range(definition.minimum, definition.maximum)}`;
    case "hundredths":
      return `number with two decimal places, ${range(definition.minimum, definition.maximum)}`;
    case "flag":
      return "true or false";
    case "text": {
      const { pattern, lengthMin, lengthMax } = definition;
      const isLabel = pattern?.rule.includes("RFC 1123") === true;
      const rule = pattern === null || isLabel ? "" : `; ${pattern.rule}`;
      return `${isLabel ? "label" : "text"}, ${range(lengthMin, lengthMax)} characters${rule}`;
    }
    case "bytes":
      return `bytes, at most ${count(definition.lengthMax)}`;
    case "choice":
      return definition.choices.map((choice) => `\`${choice}\``).join(", ");
    case "nothing":
      return "null";
    case "nullable":
      return `null, or ${inner(definition.of)}`;
    case "list":
      return `list, ${range(definition.lengthMin, definition.lengthMax)} entries; each ${inner(definition.of)}`;
    case "map": {
      const { key, value, countMax } = definition;
      return `object, at most ${count(countMax)} pairs; key: ${inner(key)}; value: ${inner(value)}`;
    }
    case "record":
      return "object";
    case "variants":
      return "object, one of its kinds";
    case "either":
      return [...new Set(definition.options.map(inner))].join(" or ");
    case "ruled":
      return `${inner(definition.of)}; ${definition.rule}`;
  }
}

function inner(part: schema.Part): string {
  return valueWords(part.definition);
}

function range(from: number, to: number): string {
  return `${count(from)} to ${count(to)}`;
}
