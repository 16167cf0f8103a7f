/** The images of a host: what its machines boot. */
export { buildDemoImage } from "./demo-image.ts";
export { DIGEST } from "./description.ts";
export { HostImages, imageFolder, imagesFolder } from "./host-images.ts";
export { type CopiesReport, ImageCopies } from "./image-copies.ts";
export { ImageError } from "./image-error.ts";
export type { ImagePeers } from "./image-exchange.ts";
export type { FetchProgress, ImageFetches } from "./image-fetches.ts";
export { type BootImage, type DiskImage, ImageStore, type KernelImage, type NamedImage } from "./image-store.ts";
export { type DiskFile, importDisk, importKernel, type KernelFiles } from "./import-image.ts";
export { emptyQcow2 } from "./qcow2-overlay.ts";
