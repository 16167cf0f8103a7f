/** Kinds that came when the numbers of a format were taken: all of them are nested behind one number. */
import type { Shapes } from "../schema/index.ts";

/** Numbers by position behind `outer`: new kinds go to the end. */
export function nestedBehind<S extends Shapes>(outer: number, shapes: S): Record<keyof S & string, [number, number]>;
export function nestedBehind(outer: number, shapes: Shapes): Record<string, [number, number]> {
  return Object.fromEntries(Object.keys(shapes).map((kind, at): [string, [number, number]] => [kind, [outer, at]]));
}
