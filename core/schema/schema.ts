/**
 * A schema: one definition of a piece of data, from which everything else about it follows:
 *
 * - its TypeScript type: `Infer<typeof schema>`, and with what may be left out `Input<typeof schema>`;
 * - its encoding as plain values for MessagePack, by position, and the checked decoding, frozen (`write`, `read`);
 * - its default (`fallbackOf`), bounds and texts as plain data (describe.ts), from which API schemas, flags and
 *   tables are made;
 * - valid and just-invalid values for tests (generate.ts).
 *
 * `write` is total: it takes whatever it is given, and what it makes of nonsense `read` refuses. So
 * `read(write(value))` checks a value.
 *
 * Codecs are closures that are put together once, when the schema is defined. Nothing interprets a definition while
 * bytes are read.
 */
import type { Definition, Traits } from "./definition.ts";

/** How a value becomes plain values and comes back. */
export interface Codec<Out> {
  write(value: Out): unknown;
  /**
   * @param version of what holds it: fields that came later are not there. Null: any version, told by how many fields
   *   there are.
   * @throws InvalidField whose path starts below this value.
   */
  read(encoded: unknown, version: number | null): Out;
}

export interface Schema<Out, In = Out> extends Codec<Out> {
  readonly definition: Definition;
  readonly traits: Traits;
  /** Never set: it carries the type. */
  readonly input?: In;
  /**
   * @param value what it is where it is left out, and where it comes from a version that had no such field.
   * @throws InvalidField when the schema itself refuses it: a defect of the definition.
   */
  default(value: Out): Schema<Out, In | undefined>;
  doc(text: string): Schema<Out, In>;
  example(value: Out): Schema<Out, In>;
  /** Fields come at the end of their record, in the order of their versions, and with a default. */
  since(version: number): Schema<Out, In>;
  /**
   * The same value in another encoding than the one that follows from its definition: for formats that are older than
   * it.
   */
  encodedAs(codec: Codec<Out>): Schema<Out, In>;
  /**
   * A rule between fields, checked after each field's own.
   * @param check throws InvalidField with a path that starts below this value.
   * @param repair makes a generated value obey the rule. Tests use it, nothing else.
   */
  rule(text: string, check: (value: Out) => void, repair: (value: Out) => Out): Schema<Out, In>;
}

/** The type of what a schema describes. */
export type Infer<S> = S extends Schema<infer Out, infer _> ? Out : never;
/** The type of what may be given for it: fields with a default may be left out. */
export type Input<S> = S extends Schema<infer _, infer In> ? In : never;

/** The encoding of a value that is its own. */
export function same(value: unknown): unknown {
  return value;
}

/** Whether a value is its own encoding, so that `write` need not be called at all. */
export function isAsItIs(codec: Codec<unknown>): boolean {
  return codec.write === same;
}

const NO_TRAITS: Traits = { doc: "", example: undefined, fallback: undefined, since: 0 };

export function schemaOf<Out, In = Out>(
  definition: Definition,
  codec: Codec<Out>,
  traits: Traits = NO_TRAITS,
): Schema<Out, In> {
  return Object.freeze({
    definition,
    traits,
    write: codec.write,
    read: codec.read,
    default(value: Out) {
      // Checked now: one that the schema refuses would show only where the field is left out. And frozen, like all
      // that is read.
      const fallback = codec.read(codec.write(value), null);
      return schemaOf<Out, In | undefined>(definition, codec, { ...traits, fallback });
    },
    doc: (text: string) => schemaOf<Out, In>(definition, codec, { ...traits, doc: text }),
    example: (value: Out) => schemaOf<Out, In>(definition, codec, { ...traits, example: value }),
    since: (version: number) => schemaOf<Out, In>(definition, codec, { ...traits, since: version }),
    encodedAs: (other: Codec<Out>) => schemaOf<Out, In>(definition, other, traits),
    rule(text: string, check: (value: Out) => void, repair: (value: Out) => Out) {
      const ruled: Codec<Out> = {
        write: codec.write,
        read(encoded, version) {
          const value = codec.read(encoded, version);
          check(value);
          return value;
        },
      };
      return schemaOf<Out, In>(
        { kind: "ruled", of: { definition, traits: NO_TRAITS }, rule: text, check, repair },
        ruled,
        traits,
      );
    },
  });
}

/**
 * What a schema's value is where it is left out.
 * @throws RangeError when it has no default: a defect of the caller.
 */
export function fallbackOf<Out>(schema: Schema<Out, unknown>): Out;
export function fallbackOf({ definition, traits }: Schema<unknown>): unknown {
  if (traits.fallback === undefined) throw new RangeError(`a ${definition.kind} without a default was left out`);
  return traits.fallback;
}
