export {
  decoded,
  defaults,
  either,
  filled,
  type InferShape,
  type InputShape,
  type ListBounds,
  list,
  map,
  nullable,
  record,
  type Shape,
  type Shapes,
  variants,
} from "./composites.ts";
export type { Definition, Field, Part, Pattern, Random, Traits, VariantShape } from "./definition.ts";
export { type Edge, edges } from "./edges.ts";
export { type Breach, breaches, valid } from "./generate.ts";
export { InvalidField, within } from "./invalid.ts";
export {
  bytes,
  choice,
  flag,
  hundredths,
  integer,
  label,
  matching,
  nothing,
  printable,
  text,
  textMatching,
} from "./scalars.ts";
export { type Codec, fallbackOf, type Infer, type Input, type Schema } from "./schema.ts";
