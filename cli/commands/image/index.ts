/** `blixard image`: what VMs boot. */
import type { CommandGroup } from "../../frame/index.ts";
import { withExamples } from "../../frame/index.ts";
import { registerBuild } from "./build.ts";
import { registerImport } from "./import.ts";
import { registerList } from "./list.ts";
import { registerRemove } from "./remove.ts";
import { registerShow } from "./show.ts";

export const registerImage: CommandGroup = (program, session) => {
  const image = withExamples(program.command("image"), ["blixard image build demo", "blixard image list"]).description(
    "Make, list and remove what VMs boot, on this host.",
  );
  registerBuild(image, session);
  registerImport(image, session);
  registerList(image, session);
  registerShow(image, session);
  registerRemove(image, session);
};
