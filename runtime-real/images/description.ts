/**
 * What an image is made of. Its digest is the SHA-256 of this description, as bytes, and the description has the
 * SHA-256 of each piece (chunk) of its files. So whoever knows the digest can check the description, and then every
 * chunk by itself, whoever it comes from.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { ImageError } from "./image-error.ts";

/** All chunks of a file but the last are that long. */
export const CHUNK_BYTES = 1024 * 1024;
/** Of all files of an image together. */
export const IMAGE_BYTES_MAX = 8 * 1024 ** 3;
/** The description of an image of that size is shorter. */
export const DESCRIPTION_BYTES_MAX = 1024 * 1024;
const COMMAND_LINE_LENGTH_MAX = 1024;
/** Of the disk that a guest sees. */
export const VIRTUAL_BYTES_MAX = 1024 ** 4;

export const DISK_FORMATS = ["raw", "qcow2"] as const;
export type DiskFormat = (typeof DISK_FORMATS)[number];

/** As a specification names it. */
export const DIGEST = /^sha256:([0-9a-f]{64})$/;

export const IMAGE_FILES = { kernel: ["kernel", "initrd"], disk: ["disk"] } as const;
export type ImageKind = keyof typeof IMAGE_FILES;
export type ImageFileName = (typeof IMAGE_FILES)[ImageKind][number];

const fileSchema = z
  .strictObject({
    name: z.enum([...IMAGE_FILES.kernel, ...IMAGE_FILES.disk]),
    sizeBytes: z.int().min(1).max(IMAGE_BYTES_MAX),
    /** Hexadecimal SHA-256 of each chunk. */
    chunks: z.array(z.string().regex(/^[0-9a-f]{64}$/)).readonly(),
  })
  .refine(({ sizeBytes, chunks }) => chunks.length === Math.ceil(sizeBytes / CHUNK_BYTES), {
    path: ["chunks"],
    message: "not as many as the size asks for",
  });
export type DescribedFile = z.infer<typeof fileSchema>;

const descriptionSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    version: z.literal(2),
    kind: z.literal("kernel"),
    commandLine: z.string().max(COMMAND_LINE_LENGTH_MAX),
    files: filesOf("kernel"),
  }),
  z.strictObject({
    version: z.literal(2),
    kind: z.literal("disk"),
    format: z.enum(DISK_FORMATS),
    /** Of the disk that the guest sees. */
    virtualBytes: z.int().min(1).max(VIRTUAL_BYTES_MAX),
    files: filesOf("disk"),
  }),
]);
export type Description = z.infer<typeof descriptionSchema>;

function filesOf(kind: ImageKind) {
  const names: readonly string[] = IMAGE_FILES[kind];
  return z
    .array(fileSchema)
    .readonly()
    .refine((files) => files.map(({ name }) => name).join() === names.join(), `not ${names.join(" and ")}`)
    .refine((files) => sizeOf(files) <= IMAGE_BYTES_MAX, `the limit is ${IMAGE_BYTES_MAX} bytes`);
}

export function sizeOf(files: readonly DescribedFile[]): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** The length of a chunk; 0: the file has no such chunk. */
export function chunkLength({ sizeBytes }: DescribedFile, index: number): number {
  return Math.max(0, Math.min(CHUNK_BYTES, sizeBytes - index * CHUNK_BYTES));
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${sha256(bytes)}`;
}

export function encodeDescription(description: Description): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(description));
}

/** @throws ImageError when the bytes are none, or none of the image with that digest. */
export function parseDescription(bytes: Uint8Array, digest: string): Description {
  if (bytes.length > DESCRIPTION_BYTES_MAX)
    throw new ImageError(`description: ${bytes.length} bytes, the limit is ${DESCRIPTION_BYTES_MAX}`, {
      field: "description",
      limit: DESCRIPTION_BYTES_MAX,
    });
  if (digestOf(bytes) !== digest)
    throw new ImageError(`description: it is of the image ${digestOf(bytes)}, not ${digest}`, { field: "description" });
  try {
    return descriptionSchema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (error) {
    if (error instanceof z.ZodError) {
      const [issue] = error.issues;
      const field = ["description", ...(issue?.path ?? [])].join(".");
      throw new ImageError(`${field}: ${issue?.message}`, { field });
    }
    throw new ImageError(`description: ${error instanceof Error ? error.message : error}`, { field: "description" });
  }
}
