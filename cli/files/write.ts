import { accessSync, constants, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { FailureError } from "../frame/index.ts";
import { describingErrors } from "./errors.ts";

/** Throws if `path` can clearly not be written. To be called before a long run, not after it. */
export function checkWritable(path: string): void {
  describingErrors("write", path, () => {
    accessSync(dirname(path), constants.W_OK);
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
      throw new FailureError(`cannot write ${path}: it is a folder`, "name a file");
    }
  });
}

/** Writes a whole file: whoever reads it meanwhile sees the old one or the new one, never a part. */
export function writeWhole(path: string, text: string): void {
  const unfinished = `${path}.${process.pid}.tmp`;
  describingErrors("write", path, () => {
    checkWritable(path);
    try {
      writeFileSync(unfinished, text);
      renameSync(unfinished, path);
    } catch (error) {
      rmSync(unfinished, { force: true });
      throw error;
    }
  });
}
