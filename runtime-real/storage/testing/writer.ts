/** A process that writes until it is killed, and prints what is durable. `writer.ts DIR SEED [COUNT]` */
import { Storage } from "../index.ts";
import { GENESIS, RandomWrites, randomOf, SETTINGS } from "./random-writes.ts";

const [dataDir = "", seed = "1", count = "Infinity"] = process.argv.slice(2);
const storage = await Storage.open(dataDir);
if (storage.restored === null) await storage.initialise(GENESIS, SETTINGS);
const source = new RandomWrites(randomOf(Number(seed)));
let issued = 0;
const issue = (): void => {
  if (issued >= Number(count)) return;
  issued++;
  storage.write(source.next());
};
storage.listen({
  written(id) {
    process.stdout.write(`${id}\n`);
    while (issued < id + 8 && issued < Number(count)) issue();
    if (id === Number(count)) setInterval(() => undefined, 1000);
  },
  failed(_, reason) {
    console.error(reason);
    process.exit(1);
  },
});
for (let n = 0; n < 8; n++) issue();
