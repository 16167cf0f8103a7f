/** Names of images are those of one host. A specification goes to any, so it holds the digest. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { loadImages } from "../../../runtime-real/index.ts";
import type { ClientOptions } from "../../client/index.ts";
import type { Spec } from "./spec-flags.ts";

/** The specification with the digest of its image, where the node's data directory has an image of that name. */
export async function withDigest(spec: Spec, { dataDir, address }: ClientOptions): Promise<Spec> {
  const { source } = spec;
  const folder = join(dataDir, "images");
  // A node that is asked over TCP has its images elsewhere.
  if (source?.kind !== "image" || address !== undefined || !existsSync(folder)) return spec;
  const { ImageStore } = await loadImages();
  const digest = new ImageStore(folder).digestOf(source.image);
  return digest === null ? spec : { ...spec, source: { ...source, image: digest } };
}
