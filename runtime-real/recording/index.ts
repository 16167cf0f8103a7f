/** Record and replay: a failure in production becomes a debugging session. */
export type { Start, Step } from "./format.ts";
export { fileRecorder, type Recorder, ringRecorder } from "./recorder.ts";
export { openRecording, type Recording, type Replayed, replay } from "./replay.ts";
