/** Schemas of single values. Messages are part of replicated results: changing one changes what replicas answer. */
import type { Pattern } from "./definition.ts";
import { InvalidField } from "./invalid.ts";
import { type Codec, type Schema, same, schemaOf } from "./schema.ts";

/** What a reader accepts is written as it is. */
function asItIs<Out>(read: (encoded: unknown) => Out): Codec<Out> {
  return { write: same, read };
}

/** A safe integer in [minimum, maximum]. */
export function integer(minimum: number, maximum: number = Number.MAX_SAFE_INTEGER): Schema<number> {
  if (minimum > maximum) throw new RangeError(`no integer is from ${minimum} to ${maximum}`);
  return schemaOf(
    { kind: "integer", minimum, maximum },
    asItIs((encoded) => readInteger(encoded, minimum, maximum)),
  );
}

function readInteger(encoded: unknown, minimum: number, maximum: number): number {
  if (typeof encoded !== "number" || !Number.isSafeInteger(encoded))
    throw new InvalidField("", null, "must be an integer");
  if (encoded < minimum) throw new InvalidField("", minimum, `must be at least ${minimum}`);
  if (encoded > maximum) throw new InvalidField("", maximum, `must be at most ${maximum}`);
  // Negative zero and zero are one value here, and must be one encoding.
  return encoded + 0;
}

/** A number in [minimum, maximum] with at most two decimal places; both bounds are integers. */
export function hundredths(minimum: number, maximum: number): Schema<number> {
  return schemaOf(
    { kind: "hundredths", minimum, maximum },
    {
      write(value) {
        if (typeof value !== "number") return value;
        const scaled = value * 100;
        const rounded = Math.round(scaled);
        // 1.1 * 100 is no integer, and meant as one.
        return Math.abs(scaled - rounded) < 1e-6 ? rounded : scaled;
      },
      read(encoded) {
        if (typeof encoded !== "number" || !Number.isSafeInteger(encoded))
          throw new InvalidField("", null, "must be a number with at most two decimal places");
        if (encoded < minimum * 100) throw new InvalidField("", minimum, `must be at least ${minimum}`);
        if (encoded > maximum * 100) throw new InvalidField("", maximum, `must be at most ${maximum}`);
        return encoded / 100 + 0;
      },
    },
  );
}

export const flag: Schema<boolean> = schemaOf(
  { kind: "flag" },
  asItIs((encoded) => {
    if (typeof encoded !== "boolean") throw new InvalidField("", null, "must be true or false");
    return encoded;
  }),
);

/**
 * Text of lengthMin to lengthMax UTF-16 code units that survives UTF-8: no lone surrogate, no byte order mark in
 * front (decoders drop it).
 */
export function text(lengthMin: number, lengthMax: number): Schema<string> {
  return schemaOf(
    { kind: "text", lengthMin, lengthMax, charset: "unicode", pattern: null },
    asItIs((encoded) => readText(encoded, lengthMin, lengthMax)),
  );
}

function readText(encoded: unknown, lengthMin: number, lengthMax: number): string {
  if (typeof encoded !== "string") throw new InvalidField("", null, "must be text");
  if (encoded.length < lengthMin) throw new InvalidField("", lengthMin, `must have at least ${lengthMin} characters`);
  if (encoded.length > lengthMax) throw new InvalidField("", lengthMax, `must have at most ${lengthMax} characters`);
  if (!encoded.isWellFormed()) throw new InvalidField("", null, "must be well-formed Unicode");
  if (encoded.charCodeAt(0) === 0xfeff) throw new InvalidField("", null, "must not begin with a byte order mark");
  return encoded;
}

/** Text as `text`, of printable ASCII alone. */
export function printable(lengthMin: number, lengthMax: number): Schema<string> {
  return schemaOf(
    { kind: "text", lengthMin, lengthMax, charset: "printable", pattern: null },
    asItIs((encoded) => {
      const read = readText(encoded, lengthMin, lengthMax);
      for (let at = 0; at < read.length; at++) {
        const code = read.charCodeAt(at);
        if (code < 0x20 || code > 0x7e) throw new InvalidField("", null, "must be printable ASCII");
      }
      return read;
    }),
  );
}

/** Text that matches a pattern, which is anchored and says by itself how long the text may be. */
export function matching(lengthMin: number, lengthMax: number, pattern: Pattern): Schema<string> {
  const { expression, rule } = pattern;
  return schemaOf(
    { kind: "text", lengthMin, lengthMax, charset: "unicode", pattern },
    asItIs((encoded) => {
      if (typeof encoded !== "string" || !expression.test(encoded)) throw new InvalidField("", null, rule);
      return encoded;
    }),
  );
}

/** As `matching`, where the pattern says nothing of the length: text that is too long is told its limit. */
export function textMatching(lengthMin: number, lengthMax: number, pattern: Pattern): Schema<string> {
  const { expression, rule } = pattern;
  return schemaOf(
    { kind: "text", lengthMin, lengthMax, charset: "unicode", pattern },
    asItIs((encoded) => {
      const read = readText(encoded, lengthMin, lengthMax);
      if (!expression.test(read)) throw new InvalidField("", null, rule);
      return read;
    }),
  );
}

const LABEL_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789";

/** A lower-case RFC 1123 label: 1 to 63 letters, digits and inner hyphens. */
export const label: Schema<string> = textMatching(1, 63, {
  expression: /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/,
  rule: "must be lower-case letters, digits and inner hyphens (an RFC 1123 label)",
  sample(length, random) {
    let made = "";
    for (let at = 0; at < length; at++) {
      const isInner = at > 0 && at < length - 1;
      made += isInner && random(8) === 0 ? "-" : LABEL_CHARACTERS.charAt(random(LABEL_CHARACTERS.length));
    }
    return made;
  },
});

/** Bytes, at most `lengthMax`, as they are: not copied. */
export function bytes(lengthMax: number): Schema<Uint8Array> {
  return schemaOf(
    { kind: "bytes", lengthMax },
    asItIs((encoded) => {
      if (!(encoded instanceof Uint8Array)) throw new InvalidField("", null, "must be bytes");
      if (encoded.length > lengthMax) throw new InvalidField("", lengthMax, `must have at most ${lengthMax} bytes`);
      return encoded;
    }),
  );
}

/** One of several words. Encoded as its position: new ones go to the end. */
export function choice<const Choices extends readonly string[]>(choices: Choices): Schema<Choices[number]> {
  const positions = new Map<string, number>(choices.map((name, at) => [name, at]));
  return schemaOf<Choices[number]>(
    { kind: "choice", choices },
    {
      write: (value) => positions.get(value) ?? -1,
      read(encoded) {
        const chosen = typeof encoded === "number" ? choices[encoded] : undefined;
        if (chosen === undefined) throw new InvalidField("", null, `must be one of ${choices.join(", ")}`);
        return chosen;
      },
    },
  );
}

/** Null and nothing else: what tells a shape without a thing from one that has it. */
export const nothing: Schema<null> = schemaOf(
  { kind: "nothing" },
  asItIs((encoded) => {
    if (encoded !== null) throw new InvalidField("", null, "must be null");
    return null;
  }),
);
