/** The images of a host: what its machines boot. */
export { buildDemoImage } from "./demo-image.ts";
export { ImageError, ImageStore, type KernelImage, type NamedImage } from "./image-store.ts";
