/** Recordings of a node, and running the core again over them: a failure in production can be debugged elsewhere. */
export type { Start, Step } from "./format.ts";
export { fileRecorder, type Recorder, ringRecorder } from "./recorder.ts";
export { openRecording, type Recording, type Replayed, replay } from "./replay.ts";
