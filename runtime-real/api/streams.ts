/** The streams of events and consoles that are open on a node, on all its addresses together. */
import { ApiError } from "../errors/index.ts";

const STREAMS_MAX = 256;

export interface Streams {
  open: number;
}

/** @throws ApiError when there are too many already. */
export function demandRoom({ open }: Streams): void {
  if (open >= STREAMS_MAX)
    throw new ApiError("tooManyPending", `${STREAMS_MAX} streams are open already`, "close some, or ask another node");
}
