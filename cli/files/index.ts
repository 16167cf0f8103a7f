/** Files that commands read and write. Every error is a FailureError that names the file and says what to do. */
export { JsonLinesFile, jsonLine } from "./json-lines.ts";
export { readJson, readLines, readText } from "./read.ts";
export { checkWritable, writeWhole } from "./write.ts";
