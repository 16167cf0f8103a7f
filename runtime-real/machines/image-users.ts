/** Which machines of a host were made of an image: they need it as long as they are there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";

const openedSchema = z.object({ opened: z.array(z.object({ what: z.string() })) });

/** Their names, sorted. @param imageFolder absolute: the directory of the image */
export function imageUsers(machinesFolder: string, imageFolder: string): readonly string[] {
  if (!existsSync(machinesFolder)) return [];
  return readdirSync(machinesFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && runsOf(join(machinesFolder, entry.name)).some(usesImage))
    .map(({ name }) => name)
    .sort();

  function usesImage(path: string): boolean {
    try {
      const { opened } = openedSchema.parse(JSON.parse(readFileSync(path, "utf8")));
      return opened.some(({ what }) => dirname(what) === imageFolder);
    } catch {
      // It has gone meanwhile.
      return false;
    }
  }
}

function runsOf(folder: string): readonly string[] {
  return readdirSync(folder).flatMap((part) => (part.startsWith("run-") ? [join(folder, part, "run.json")] : []));
}
