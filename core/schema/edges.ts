/** Valid values for tests in which one field is as small or as large as may be. Their neighbours are in breaches. */
import type { Definition, Field, Part, Random } from "./definition.ts";
import { validFields, validOf, validText } from "./generate.ts";

/** A value in which one field lies on its bound. */
export interface Edge {
  /** Path of that field below the value, such as `.spec.vcpus` or `.volumes[0].name`. */
  readonly field: string;
  /** Which bound, for the name of a test. */
  readonly what: string;
  readonly value: unknown;
}

/** One edge for each bound of each field, all else valid and small. */
export function edges(schema: Part, random: Random): Edge[] {
  return edgesOf(schema.definition, random);
}

function edgesOf(definition: Definition, random: Random): Edge[] {
  const here = (what: string, value: unknown): Edge => ({ field: "", what, value });
  switch (definition.kind) {
    case "integer":
    case "hundredths":
      return [here("lowest", definition.minimum), here("highest", definition.maximum)];
    case "flag":
      return [here("true", true), here("false", false)];
    case "text": {
      const { lengthMin, lengthMax } = definition;
      return [
        here("shortest", validText(definition, lengthMin, random)),
        here("longest", validText(definition, lengthMax, random)),
      ];
    }
    case "bytes":
      return [here("none", new Uint8Array(0)), here("longest", new Uint8Array(definition.lengthMax))];
    case "choice":
      return definition.choices.map((choice) => here(choice, choice));
    case "nothing":
      return [here("null", null)];
    case "nullable":
      return [here("null", null), ...edgesOf(definition.of.definition, random)];
    case "list":
      return listEdges(definition, random);
    case "map":
      return mapEdges(definition, random);
    case "record":
      return fieldEdges(definition.fields, {}, random);
    case "variants":
      return definition.shapes.flatMap(({ kind, fields }) => [
        here(kind, validFields(fields, { kind }, random)),
        ...fieldEdges(fields, { kind }, random),
      ]);
    case "either":
      return definition.options.flatMap((option) => edgesOf(option.definition, random));
    case "ruled":
      return edgesOf(definition.of.definition, random).map((edge) => ({
        ...edge,
        value: definition.repair(edge.value),
      }));
  }
}

function listEdges(definition: Extract<Definition, { kind: "list" }>, random: Random): Edge[] {
  const { of, lengthMin, lengthMax, distinctBy } = definition;
  // Items that must differ are made as others are: as many as chance will have of them.
  const many = (length: number): unknown[] => {
    const made = new Map<unknown, unknown>();
    for (let tries = 0; made.size < length && tries < length * 8; tries++) {
      const item = validOf(of.definition, random);
      made.set(distinctBy === null ? tries : fieldOf(item, distinctBy), item);
    }
    return [...made.values()];
  };
  return [
    { field: "", what: "shortest", value: many(lengthMin) },
    { field: "", what: "longest", value: many(lengthMax) },
    ...edgesOf(of.definition, random).map(({ field, what, value }) => ({ field: `[0]${field}`, what, value: [value] })),
  ];
}

function fieldOf(item: unknown, field: string): unknown {
  return field === "" || typeof item !== "object" || item === null ? item : Reflect.get(item, field);
}

function mapEdges({ key, value, countMax }: Extract<Definition, { kind: "map" }>, random: Random): Edge[] {
  const name = (): string => String(validOf(key.definition, random));
  const most: Record<string, unknown> = {};
  for (let tries = 0; Object.keys(most).length < countMax && tries < countMax * 8; tries++)
    most[name()] = validOf(value.definition, random);
  return [
    { field: "", what: "empty", value: {} },
    { field: "", what: "fullest", value: most },
    ...edgesOf(key.definition, random).map(({ what, value: edge }) => ({
      field: "[0].key",
      what,
      value: { [String(edge)]: validOf(value.definition, random) },
    })),
    ...edgesOf(value.definition, random).map(({ what, value: edge }) => ({
      field: "[0].value",
      what,
      value: { [name()]: edge },
    })),
  ];
}

function fieldEdges(fields: readonly Field[], head: Record<string, unknown>, random: Random): Edge[] {
  return fields.flatMap(({ name, definition }) =>
    edgesOf(definition, random).map(({ field, what, value }) => ({
      field: `.${name}${field}`,
      what,
      value: { ...validFields(fields, { ...head }, random), [name]: value },
    })),
  );
}
