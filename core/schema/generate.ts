/**
 * Values for tests, from a schema's definition: valid ones, and ones that break one rule of one field by as little as
 * can be. Any source of random numbers will do, so that a property test can shrink and a simulation can be repeated.
 */
import type { Definition, Field, Part, Random } from "./definition.ts";
import type { Schema } from "./schema.ts";

/** A value that the schema accepts. Bounds and their neighbours come more often than what lies between. */
export function valid<Out>(schema: Schema<Out, unknown>, random: Random): Out;
export function valid(schema: Part, random: Random): unknown {
  return validOf(schema.definition, random);
}

/** A value in which one field breaks one rule. */
export interface Breach {
  /** Path of that field below the value, such as `.spec.vcpus` or `.volumes[0].name`. */
  readonly field: string;
  /** What is wrong with it, for the name of a test. */
  readonly what: string;
  readonly value: unknown;
}

/**
 * One breach for each bound of each field, all else valid. Rules between fields are not broken: they are known as
 * words only.
 */
export function breaches(schema: Part, random: Random): Breach[] {
  return breachesOf(schema.definition, random);
}

/**
 * Longest text and list that are made without need: a bound itself is still reached now and then where it is at most
 * this.
 */
const EASY_LENGTH = 12;
const UINT32 = 2 ** 32;

export function validOf(definition: Definition, random: Random): unknown {
  switch (definition.kind) {
    case "integer":
      return integerIn(definition.minimum, definition.maximum, random);
    case "hundredths":
      return integerIn(definition.minimum * 100, definition.maximum * 100, random) / 100;
    case "flag":
      return random(2) === 1;
    case "text":
      return validText(definition, lengthIn(definition.lengthMin, definition.lengthMax, random), random);
    case "bytes": {
      const made = new Uint8Array(lengthIn(0, definition.lengthMax, random));
      for (let at = 0; at < made.length; at++) made[at] = random(256);
      return made;
    }
    case "choice":
      return definition.choices[random(definition.choices.length)];
    case "nothing":
      return null;
    case "nullable":
      return random(3) === 0 ? null : validOf(definition.of.definition, random);
    case "list":
      return listOf(definition, lengthIn(definition.lengthMin, Math.min(definition.lengthMax, 4), random), random);
    case "map": {
      const made: Record<string, unknown> = {};
      for (let left = random(Math.min(definition.countMax, 4) + 1); left > 0; left--)
        made[String(validOf(definition.key.definition, random))] = validOf(definition.value.definition, random);
      return made;
    }
    case "record":
      return validFields(definition.fields, {}, random);
    case "variants": {
      const shape = definition.shapes[random(definition.shapes.length)];
      return shape === undefined ? undefined : validFields(shape.fields, { kind: shape.kind }, random);
    }
    case "either":
      return validOf(chosen(definition.options, random).definition, random);
    case "ruled":
      return definition.repair(validOf(definition.of.definition, random));
  }
}

function chosen(parts: readonly Part[], random: Random): Part {
  const part = parts[random(parts.length)];
  if (part === undefined) throw new RangeError("there is nothing to choose from");
  return part;
}

export function validFields(
  fields: readonly Field[],
  made: Record<string, unknown>,
  random: Random,
): Record<string, unknown> {
  for (const { name, definition } of fields) made[name] = validOf(definition, random);
  return made;
}

function listOf({ of, distinctBy }: Extract<Definition, { kind: "list" }>, length: number, random: Random): unknown[] {
  const made: unknown[] = [];
  const keys = new Set<unknown>();
  // With few values to choose from a list of distinct ones may stay shorter.
  for (let tries = 0; made.length < length && tries < length * 8; tries++) {
    const item = validOf(of.definition, random);
    const key = distinctBy === null ? tries : keyOf(item, distinctBy);
    if (keys.has(key)) continue;
    keys.add(key);
    made.push(item);
  }
  return made;
}

function keyOf(item: unknown, field: string): unknown {
  return field === "" || typeof item !== "object" || item === null ? item : Reflect.get(item, field);
}

function integerIn(minimum: number, maximum: number, random: Random): number {
  const span = maximum - minimum;
  switch (random(4)) {
    case 0:
      return minimum;
    case 1:
      return maximum;
    case 2:
      return minimum + Math.min(span, random(8));
    default:
      return span < UINT32
        ? minimum + random(span + 1)
        : minimum + Math.min(span, Math.floor((random(UINT32) / UINT32) * span));
  }
}

function lengthIn(minimum: number, maximum: number, random: Random): number {
  const easy = Math.min(maximum, minimum + EASY_LENGTH);
  return random(4) === 0 ? (random(2) === 0 ? minimum : easy) : minimum + random(easy - minimum + 1);
}

/** All valid, and each two bytes or more in UTF-8. */
const BEYOND_ASCII = ["é", "ß", "水", "\u{1f600}"];

export function validText(
  { charset, pattern }: Extract<Definition, { kind: "text" }>,
  length: number,
  random: Random,
): string {
  if (pattern !== null) return pattern.sample(length, random);
  let made = "";
  while (made.length < length) {
    const wide = charset === "unicode" && random(8) === 0 ? (BEYOND_ASCII[random(BEYOND_ASCII.length)] ?? "") : "";
    made += wide !== "" && made.length + wide.length <= length ? wide : String.fromCharCode(0x20 + random(0x5f));
  }
  return made;
}

function breachesOf(definition: Definition, random: Random): Breach[] {
  const here = (what: string, value: unknown): Breach => ({ field: "", what, value });
  switch (definition.kind) {
    case "integer": {
      const { minimum, maximum } = definition;
      return [
        ...(Number.isSafeInteger(minimum - 1) ? [here(`below ${minimum}`, minimum - 1)] : []),
        ...(Number.isSafeInteger(maximum + 1) ? [here(`above ${maximum}`, maximum + 1)] : []),
        here("a fraction", Math.min(minimum + 0.5, maximum - 0.5)),
        here("no number", "1"),
      ];
    }
    case "hundredths": {
      const { minimum, maximum } = definition;
      return [
        here(`below ${minimum}`, minimum - 0.01),
        here(`above ${maximum}`, maximum + 0.01),
        here("a third decimal place", minimum + 0.001),
        here("no number", "1"),
      ];
    }
    case "flag":
      return [here("no flag", 1)];
    case "text":
      return textBreaches(definition, random);
    case "bytes":
      return [here(`longer than ${definition.lengthMax}`, new Uint8Array(definition.lengthMax + 1)), here("text", "")];
    case "choice":
      return [here("an unknown choice", "no-such-choice"), here("a number", 0)];
    case "nothing":
      return [here("not null", 0)];
    case "nullable":
      // What is wrong with the thing itself, and no thing at all is right.
      return breachesOf(definition.of.definition, random);
    case "list": {
      const { of, lengthMin, lengthMax, distinctBy } = definition;
      const item = validOf(of.definition, random);
      const many = (length: number) => Array.from({ length }, () => validOf(of.definition, random));
      return [
        here("no list", {}),
        here(`more than ${lengthMax}`, many(lengthMax + 1)),
        ...(lengthMin > 0 ? [here(`fewer than ${lengthMin}`, many(lengthMin - 1))] : []),
        ...(distinctBy === null ? [] : [here("the same twice", [item, item])]),
        ...breachesOf(of.definition, random).map(({ field, what, value }) => ({
          field: `[0]${field}`,
          what,
          value: [value, ...many(Math.max(0, lengthMin - 1))],
        })),
      ];
    }
    case "map": {
      const { key, value, countMax } = definition;
      const name = String(validOf(key.definition, random));
      const many: Record<string, unknown> = {};
      for (let at = 0; Object.keys(many).length <= countMax && at < countMax * 8; at++)
        many[`${at}`] = validOf(value.definition, random);
      return [
        here("no map", []),
        here(`more than ${countMax}`, many),
        ...breachesOf(key.definition, random)
          .filter((breach) => typeof breach.value === "string")
          .map(({ what, value: badKey }) => ({
            field: "[0].key",
            what,
            value: { [String(badKey)]: validOf(value.definition, random) },
          })),
        ...breachesOf(value.definition, random).map(({ what, value: bad }) => ({
          field: "[0].value",
          what,
          value: { [name]: bad },
        })),
      ];
    }
    case "record":
      return [here("no record", 1), ...fieldBreaches(definition.fields, {}, random)];
    case "variants":
      return [
        here("an unknown kind", { kind: "no-such-kind" }),
        ...definition.shapes.flatMap(({ kind, fields }) => fieldBreaches(fields, { kind }, random)),
      ];
    case "either":
      return [here("neither", 1)];
    case "ruled":
      return breachesOf(definition.of.definition, random);
  }
}

/** Of each field in turn, the others valid. One that has to be given is also left out. */
function fieldBreaches(fields: readonly Field[], head: Record<string, unknown>, random: Random): Breach[] {
  return fields.flatMap(({ name, definition, traits }) => {
    const others = () => validFields(fields, { ...head }, random);
    const broken = breachesOf(definition, random).map(({ field, what, value }) => ({
      field: `.${name}${field}`,
      what,
      value: { ...others(), [name]: value },
    }));
    if (traits.fallback !== undefined) return broken;
    const { [name]: _, ...without } = others();
    return [...broken, { field: `.${name}`, what: "left out", value: without }];
  });
}

function textBreaches(definition: Extract<Definition, { kind: "text" }>, random: Random): Breach[] {
  const { lengthMin, lengthMax, charset, pattern } = definition;
  const here = (what: string, value: unknown): Breach => ({ field: "", what, value });
  return [
    here("no text", 1),
    here(`longer than ${lengthMax}`, validText(definition, lengthMax + 1, random)),
    ...(lengthMin > 0 ? [here(`shorter than ${lengthMin}`, validText(definition, lengthMin - 1, random))] : []),
    ...(pattern === null ? [] : [here(`not ${pattern.rule}`, "\u0007".repeat(Math.max(1, lengthMin)))]),
    ...(charset === "printable" && pattern === null
      ? [here("not printable", "\u0007".repeat(Math.max(1, lengthMin)))]
      : []),
    ...(charset === "unicode" && pattern === null
      ? [
          here("a lone surrogate", "\ud800".repeat(Math.max(1, lengthMin))),
          here("a byte order mark in front", "\ufeff".repeat(Math.max(1, lengthMin))),
        ]
      : []),
  ];
}
