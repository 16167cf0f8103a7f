/** Random streams, drawn from the seed of a run. */
export { Stream, Streams } from "./random.ts";
export { drawByOctave, drawRange, type Range } from "./range.ts";
