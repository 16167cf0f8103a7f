/** The images of a host: what its machines boot. */
export { buildDemoImage } from "./demo-image.ts";
export { HostImages, imagesFolder } from "./host-images.ts";
export { ImageError } from "./image-error.ts";
export type { ImagePeers } from "./image-exchange.ts";
export type { FetchProgress, ImageFetches } from "./image-fetches.ts";
export { ImageStore, type KernelImage, type NamedImage } from "./image-store.ts";
