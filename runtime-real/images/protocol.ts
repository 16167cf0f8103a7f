/** What nodes ask each other about images. One question and its answer a stream. */
import { z } from "zod";
import type { PeerId } from "../../core/index.ts";
import { CHUNK_BYTES, DIGEST, IMAGE_BYTES_MAX } from "./description.ts";

/** A worker that is no member is reached over its own member at most, and that one over another. */
const ROUTE_LENGTH_MAX = 3;
const PEER_ID_LENGTH_MAX = 128;
/** Places that are told of one image. */
export const ROUTES_MAX = 4;

const digest = z.string().regex(DIGEST);
const route = z.array(z.string().max(PEER_ID_LENGTH_MAX)).max(ROUTE_LENGTH_MAX).readonly();

/**
 * How to get to a node from another: over whom, and at the end the node itself. Empty: the node that is asked. Whoever
 * passes a question on takes the first from it.
 */
export type Route = readonly PeerId[];

const questionSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("find"),
    digest,
    /**
     * Who is asked: the node alone, also the workers that are connected to it, or also the other members with theirs.
     */
    scope: z.enum(["self", "workers", "cluster"]),
  }),
  z.strictObject({ kind: z.literal("description"), digest, route }),
  /** To have it, and to say how far it is: to members it is a request of theirs, and others may not ask for it. */
  z.strictObject({ kind: z.literal("hold"), digest, route }),
  z.strictObject({
    kind: z.literal("chunk"),
    digest,
    route,
    /** By its place in the description. */
    file: z.int().min(0).max(8),
    index: z
      .int()
      .min(0)
      .max(IMAGE_BYTES_MAX / CHUNK_BYTES),
  }),
]);
export type Question = z.infer<typeof questionSchema>;
export type Scope = Extract<Question, { readonly kind: "find" }>["scope"];

const routesSchema = z.array(route).max(ROUTES_MAX).readonly();

/** The first byte of an answer. `no`: whoever was asked has not got it, or does not get through. */
const ANSWER = { no: 0, yes: 1 } as const;

export const NO: Uint8Array = Uint8Array.of(ANSWER.no);

export function yes(bytes: Uint8Array): Uint8Array {
  const answer = new Uint8Array(1 + bytes.length);
  answer[0] = ANSWER.yes;
  answer.set(bytes, 1);
  return answer;
}

/** What was asked for; null: no. */
export function given(answer: Uint8Array): Uint8Array | null {
  return answer[0] === ANSWER.yes ? answer.subarray(1) : null;
}

export function encodeQuestion(question: Question): Uint8Array {
  return encode(question);
}

/** Null: it cannot be read. */
export function parseQuestion(bytes: Uint8Array): Question | null {
  return questionSchema.safeParse(decode(bytes)).data ?? null;
}

export function encodeRoutes(routes: readonly Route[]): Uint8Array {
  return encode(routes);
}

/** None where the bytes cannot be read. */
export function parseRoutes(bytes: Uint8Array): readonly Route[] {
  return routesSchema.safeParse(decode(bytes)).data ?? [];
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function decode(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
