/** `blixard image`: what VMs boot. */
import type { CommandGroup } from "../../frame/index.ts";
import { withExamples } from "../../frame/index.ts";
import { registerBuild } from "./build.ts";
import { registerList } from "./list.ts";

export const registerImage: CommandGroup = (program, session) => {
  const image = withExamples(program.command("image"), ["blixard image build demo", "blixard image list"]).description(
    "Make and list what VMs boot, on this host.",
  );
  registerBuild(image, session);
  registerList(image, session);
};
