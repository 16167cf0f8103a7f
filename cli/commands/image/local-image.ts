/** An image of this host by its name or digest, for commands about one. */
import { type ImageStore, loadImages } from "../../../runtime-real/index.ts";
import { FailureError } from "../../frame/index.ts";

export interface LocalImage {
  readonly store: ImageStore;
  readonly digest: string;
  /** Sorted. */
  readonly names: readonly string[];
}

/** @throws FailureError when it is not here. */
export async function localImage(dataDir: string, nameOrDigest: string): Promise<LocalImage> {
  const { ImageStore, imagesFolder } = await loadImages();
  const store = new ImageStore(imagesFolder(dataDir));
  const digest = store.digestOf(nameOrDigest);
  const found = store.list().find((image) => image.digest === digest);
  if (found === undefined)
    throw new FailureError(
      `there is no image ${nameOrDigest} on this host`,
      "`blixard image list` shows which there are",
    );
  return { store, ...found };
}
