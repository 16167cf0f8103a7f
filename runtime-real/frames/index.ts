/** Frames on a stream of bytes. Light: clients use it too. */
export { FrameReader, FrameTooLong, joinFrames } from "./frames.ts";
