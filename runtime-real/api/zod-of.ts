/**
 * The API's schemas, from the definitions of the core: bounds, defaults, words and rules are written once, there. The
 * OpenAPI document is made of what comes out here, and requests are checked with it. So the API accepts what the core
 * accepts, and says in the core's words what is wrong with the rest.
 */
import { z } from "zod";
import { schema as kit } from "../../core/index.ts";

type Definition = kit.Definition;
type OfKind<Kind extends Definition["kind"]> = Extract<Definition, { readonly kind: Kind }>;

/**
 * Defaults are filled in: what may be left out on the way in is there on the way out.
 * @throws RangeError for bytes, which have no form in JSON: a defect of the caller.
 */
export function zodOf<Out, In>(schema: kit.Schema<Out, In>): z.ZodType<Out, In>;
export function zodOf(part: kit.Part): z.ZodType {
  return zodOfPart(part);
}

function zodOfPart(part: kit.Part): z.ZodType {
  const { fallback } = part.traits;
  const described = describedOf(part);
  return fallback === undefined ? described : described.default(() => fallback);
}

/** Its default left aside: within another it has none. */
function describedOf({ definition, traits }: kit.Part): z.ZodType {
  const { doc, example } = traits;
  const bare = bareOf(definition);
  const description = doc === "" ? patternWords(definition) : doc;
  if (description === "" && example === undefined) return bare;
  return bare.meta({
    ...(description === "" ? {} : { description }),
    ...(example === undefined ? {} : { examples: [example] }),
  });
}

/** What a text looks like, where nothing else is said of it. */
function patternWords(definition: Definition): string {
  if (definition.kind !== "text" || definition.pattern === null) return "";
  return definition.pattern.rule.replace(/^must be /, "");
}

function bareOf(definition: Definition): z.ZodType {
  switch (definition.kind) {
    case "integer":
      return z.int(must("be an integer")).min(definition.minimum).max(definition.maximum);
    case "hundredths": {
      const rule = must("be a number with at most two decimal places");
      return z.number(rule).min(definition.minimum).max(definition.maximum).multipleOf(0.01, rule);
    }
    case "flag":
      return z.boolean(must("be true or false"));
    case "text":
      return textOf(definition);
    case "bytes":
      throw new RangeError("bytes have no form in JSON");
    case "choice":
      return z.enum([...definition.choices], must(`be one of ${definition.choices.join(", ")}`));
    case "nothing":
      return z.null(must("be null"));
    case "nullable":
      return describedOf(definition.of).nullable();
    case "list":
      return listOf(definition);
    case "map":
      return mapOf(definition);
    case "record":
      return z.strictObject(fieldsOf(definition.fields), object);
    case "variants":
      return variantsOf(definition);
    case "either":
      return z.union(
        definition.options.map(describedOf),
        must(`have ${definition.options.map(shapeWords).join(", or ")}`),
      );
    case "ruled":
      return ruledOf(definition);
  }
}

/** What is said where a value is of another kind altogether. */
function must(rule: string): { readonly error: (issue: { readonly input?: unknown }) => string } {
  return { error: ({ input }) => (input === undefined ? "must be given" : `must ${rule}`) };
}

const object = {
  error: ({ code, input, keys }: z.core.$ZodRawIssue): string => {
    if (input === undefined) return "must be given";
    if (code !== "unrecognized_keys" || !Array.isArray(keys)) return "must be an object";
    return `has no ${keys.length === 1 ? "field" : "fields"} ${keys.join(", ")}`;
  },
};

function textOf({ lengthMin, lengthMax, charset, pattern }: OfKind<"text">): z.ZodString {
  const anyText = z.string(must("be text"));
  const matching = pattern === null ? anyText : anyText.regex(pattern.expression, pattern.rule);
  // Zod and JSON Schema count code points, the core UTF-16 code units: there are as many of these, or more.
  const bounded = (lengthMin > 0 ? matching.min(lengthMin) : matching)
    .max(lengthMax)
    .refine(({ length }) => length <= lengthMax, `must have at most ${lengthMax} characters`);
  if (pattern !== null) return bounded;
  if (charset === "printable") return bounded.regex(/^[ -~]*$/, "must be printable ASCII");
  return bounded
    .refine((text) => text.isWellFormed(), "must be well-formed Unicode")
    .refine((text) => !text.startsWith("\ufeff"), "must not begin with a byte order mark");
}

function listOf({ of, lengthMin, lengthMax, distinctBy }: OfKind<"list">): z.ZodType {
  const items = z.array(describedOf(of), must("be a list"));
  const bounded = (lengthMin > 0 ? items.min(lengthMin) : items).max(lengthMax);
  if (distinctBy === null) return bounded;
  const isDistinct = (values: readonly unknown[]): boolean =>
    new Set(values.map((value) => keyOf(value, distinctBy))).size === values.length;
  const distinct = bounded.refine(isDistinct, "must not name the same thing twice");
  return distinctBy === "" ? distinct.meta({ uniqueItems: true }) : distinct;
}

function keyOf(item: unknown, field: string): unknown {
  return field === "" || typeof item !== "object" || item === null ? item : Reflect.get(item, field);
}

function mapOf({ key, value, countMax }: OfKind<"map">): z.ZodType {
  return new Pairs({ type: "record", keyType: textKey(key), valueType: describedOf(value), ...must("be an object") })
    .refine((pairs) => Object.keys(pairs).length <= countMax, `must have at most ${countMax} pairs`)
    .meta({ maxProperties: countMax });
}

/**
 * As zod's record, which leaves a pair with the key "__proto__" out without a word. No map of the core takes that
 * key.
 */
const Pairs = z.core.$constructor<z.ZodRecord<z.ZodString, z.ZodType>>("Pairs", (pairs, definition) => {
  z.ZodRecord.init(pairs, definition);
  const { parse } = pairs._zod;
  pairs._zod.parse = (payload, context) => {
    const { value: input } = payload;
    const key = "__proto__";
    if (typeof input === "object" && input !== null && Object.hasOwn(input, key)) {
      const issues = definition.keyType.safeParse(key).error?.issues ?? [];
      payload.issues.push({ code: "invalid_key", origin: "record", path: [key], issues, input, inst: pairs });
    }
    return parse(payload, context);
  };
});

function textKey({ definition }: kit.Part): z.ZodString {
  if (definition.kind !== "text") throw new RangeError("the keys of a map are text");
  return textOf(definition);
}

function fieldsOf(fields: readonly kit.Field[]): Readonly<Record<string, z.ZodType>> {
  return Object.fromEntries(fields.map((field) => [field.name, zodOfPart(field)]));
}

function variantsOf({ shapes }: OfKind<"variants">): z.ZodType {
  const kinds = shapes.map(({ kind }) => kind);
  const options = shapes.map(({ kind, fields }) =>
    z.strictObject({ kind: z.literal(kind), ...fieldsOf(fields) }, object),
  );
  const [first, ...others] = options;
  if (first === undefined) throw new RangeError("there is nothing to choose from");
  return z.discriminatedUnion("kind", [first, ...others], {
    error: ({ input }) => {
      if (input === undefined) return "must be given";
      return typeof input === "object" && input !== null ? `must be one of ${kinds.join(", ")}` : "must be an object";
    },
  });
}

/** Such as "pool, or pool (null) and tags". */
function shapeWords({ definition }: kit.Part): string {
  if (definition.kind !== "record") return definition.kind;
  return definition.fields
    .map(({ name, definition: { kind } }) => (kind === "nothing" ? `${name} (null)` : name))
    .join(" and ");
}

function ruledOf({ of, check }: OfKind<"ruled">): z.ZodType {
  return describedOf(of).superRefine((value, context) => {
    try {
      check(value);
    } catch (error) {
      if (!(error instanceof kit.InvalidField)) throw error;
      context.addIssue({ code: "custom", path: pathOf(error.field), message: error.message });
    }
  });
}

/** `.volumes[0].name` as steps. */
function pathOf(field: string): (string | number)[] {
  return Array.from(field.matchAll(/\.([^.[]+)|\[(\d+)\]/g), ([, name, at]) => name ?? Number(at));
}
