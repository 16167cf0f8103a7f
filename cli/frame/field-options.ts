/** Options from the definition of a record: one flag for each field that fits on a command line. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { schema } from "../../core/index.ts";

type Definition = schema.Definition;

/** What a field is called on the command line, or how it is read, where that does not follow from its definition. */
export interface OwnFlag<Value extends object> {
  readonly field: Extract<keyof Value, string>;
  /** As Commander has them, such as `--memory <MiB>`. */
  readonly flags: string;
  /** In place of the field's words and bounds. */
  readonly about?: string;
  /** @param earlier what the flags before it say. */
  readonly read?: (text: string, earlier: Value) => Value;
}

export interface FieldFlag<Value extends object> {
  readonly flags: string;
  readonly about: string;
  /** The default of the field, as text; null: nothing worth showing. */
  readonly fallback: string | null;
  readonly choices: readonly string[] | null;
  readonly read: (text: string, earlier: Value) => Value;
}

/** In the order of the fields. Lists of records, records and maps have none but their own. */
export function flagsOf<Value extends object>(
  { definition }: schema.Part,
  own: readonly OwnFlag<Value>[],
): FieldFlag<Value>[] {
  if (definition.kind !== "record") throw new RangeError("flags follow from the fields of a record");
  return definition.fields.flatMap((field): FieldFlag<Value>[] => {
    const named = own.filter((flag) => flag.field === field.name);
    return named.length > 0 ? named.map((flag) => ownFlag(field, flag)) : derivedFlags(field);
  });
}

function ownFlag<Value extends object>(field: schema.Field, flag: OwnFlag<Value>): FieldFlag<Value> {
  const { flags, about = aboutOf(field) } = flag;
  const readValue = readerOf(field.definition);
  const read = flag.read ?? (readValue === null ? null : intoField<Value>(field.name, readValue));
  if (read === null) throw new RangeError(`${field.name} needs to be told how it is read`);
  const fallback = flags.startsWith("--no-") ? null : shownFallback(field);
  return { flags, about, fallback, choices: choicesOf(field.definition), read };
}

function derivedFlags<Value extends object>(field: schema.Field): FieldFlag<Value>[] {
  const { name, definition } = field;
  const long = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const shown = { about: aboutOf(field), fallback: shownFallback(field), choices: choicesOf(definition) };
  if (bare(definition).kind === "flag") {
    const says = (value: boolean) => intoField<Value>(name, () => value);
    const yes = { ...shown, flags: `--${long}`, read: says(true) };
    const no = { ...shown, flags: `--no-${long}`, about: `not ${long}`, fallback: null, read: says(false) };
    return field.traits.fallback === false ? [yes] : [yes, no];
  }
  const readValue = readerOf(definition);
  return readValue === null
    ? []
    : [{ ...shown, flags: `--${long} <${placeholderOf(definition)}>`, read: intoField<Value>(name, readValue) }];
}

type ReadValue = (text: string, earlier: unknown) => unknown;

function intoField<Value extends object>(name: string, read: ReadValue): FieldFlag<Value>["read"] {
  return (text, earlier) => ({ ...earlier, [name]: read(text, Reflect.get(earlier, name)) });
}

/** Null: it fits on no command line. */
function readerOf(of: Definition): ReadValue | null {
  const definition = bare(of);
  switch (definition.kind) {
    case "integer":
      return (text) => readInteger(text, definition.minimum < 0);
    case "hundredths":
      return readHundredths;
    case "text":
      return (text) => text;
    case "choice":
      return (text) => oneOf(definition.choices, text);
    case "list": {
      const readItem = readerOf(definition.of.definition);
      if (readItem === null || bare(definition.of.definition).kind === "list") return null;
      return (text, earlier) => [...(Array.isArray(earlier) ? earlier : []), readItem(text, undefined)];
    }
    default:
      return null;
  }
}

/** Null and rules aside. */
function bare(definition: Definition): Definition {
  return definition.kind === "nullable" || definition.kind === "ruled" ? bare(definition.of.definition) : definition;
}

/** The node checks the bounds, but for the sign. */
function readInteger(text: string, mayBeNegative: boolean): number {
  const value = Number(text);
  if (!(mayBeNegative ? /^-?\d+$/ : /^\d+$/).test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError("Give a whole number, such as 2.");
  return value;
}

function readHundredths(text: string): number {
  if (!/^\d+(\.\d{1,2})?$/.test(text)) throw new InvalidArgumentError("Give a number such as 1.5.");
  return Number(text);
}

function oneOf(choices: readonly string[], text: string): string {
  if (!choices.includes(text)) throw new InvalidArgumentError(`Allowed choices are ${choices.join(", ")}.`);
  return text;
}

function placeholderOf(of: Definition): string {
  const definition = bare(of);
  switch (definition.kind) {
    case "integer":
    case "hundredths":
      return "n";
    case "list":
      return placeholderOf(definition.of.definition);
    case "choice":
      return "name";
    default:
      return definition.kind === "text" && definition.pattern !== null ? "name" : "text";
  }
}

function choicesOf(definition: Definition): readonly string[] | null {
  const { kind, ...rest } = bare(definition);
  return kind === "choice" && "choices" in rest ? rest.choices : null;
}

/** Such as "virtual CPUs, 1 to 1,024". */
function aboutOf({ definition, traits: { doc } }: schema.Field): string {
  // An abbreviation stays as it is.
  const words = /^[A-Z][^A-Z]/.test(doc) ? `${doc.charAt(0).toLowerCase()}${doc.slice(1)}` : doc;
  const bounded = [words, boundsOf(definition)].filter((part) => part !== "").join(", ");
  const repeated = bare(definition).kind === "list" ? "may be repeated" : "";
  return [bounded, repeated].filter((part) => part !== "").join("; ");
}

function boundsOf(of: Definition): string {
  const definition = bare(of);
  switch (definition.kind) {
    case "integer":
    case "hundredths":
      return `${shown(definition.minimum)} to ${shown(definition.maximum)}`;
    case "text":
      return definition.pattern === null ? `at most ${shown(definition.lengthMax)} characters` : "";
    default:
      return "";
  }
}

function shownFallback({ traits: { fallback } }: schema.Field): string | null {
  if (typeof fallback === "number") return shown(fallback);
  return typeof fallback === "boolean" || (typeof fallback === "string" && fallback !== "") ? `${fallback}` : null;
}

function shown(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** All flags together make one value, which is the option `attribute`. */
class FieldOption extends Option {
  readonly #attribute: string;

  constructor(flags: string, about: string, attribute: string) {
    super(flags, about);
    this.#attribute = attribute;
  }

  override attributeName(): string {
    return this.#attribute;
  }
}

/** @param shows.defaults whether what is not given gets its default, which the help then shows */
export function addFieldOptions<Value extends object>(
  command: Command,
  flags: readonly FieldFlag<Value>[],
  none: Value,
  {
    attribute,
    heading,
    defaults,
  }: { readonly attribute: string; readonly heading: string; readonly defaults: boolean },
): void {
  for (const { flags: names, about, fallback, choices, read } of flags) {
    const words = defaults && fallback !== null ? `${about} (default: ${fallback})` : about;
    const option = new FieldOption(names, words, attribute).helpGroup(heading);
    if (choices !== null) option.choices(choices);
    command.addOption(option.argParser((text, earlier: Value = none) => read(text, earlier)));
  }
}
