import type { CircleException } from "./circles.ts";

/** Circles of imports in core/ that are put up with for now. The aim is none: the list only shrinks. */
export const circleExceptions: readonly CircleException[] = [];
