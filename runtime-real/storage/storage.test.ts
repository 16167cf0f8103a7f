import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readSettings, Storage, StorageError } from "./index.ts";
import { decodeJournal } from "./journal.ts";
import { MIGRATIONS, migrate, schemaVersion } from "./schema.ts";
import { GENESIS, RandomWrites, randomOf, SETTINGS } from "./testing/index.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Opens a directory, does something with it, closes it. */
async function within<Result>(dataDir: string, act: (storage: Storage) => Promise<Result> | Result): Promise<Result> {
  const storage = await Storage.open(dataDir);
  try {
    return await act(storage);
  } finally {
    await storage.close();
  }
}

/** The error of `open`. */
async function refusal(dataDir: string): Promise<StorageError> {
  try {
    await within(dataDir, () => undefined);
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
  throw new Error("it opened");
}

function allWritten(storage: Storage, last: number): Promise<number[]> {
  const ids: number[] = [];
  return new Promise((resolve, reject) => {
    storage.listen({
      written(id) {
        ids.push(id);
        if (id === last) resolve(ids);
      },
      failed: (_, reason) => reject(new Error(reason)),
    });
  });
}

describe("what was written", () => {
  test("is there after a restart", { timeout: 60_000 }, async () => {
    for (let seed = 1; seed <= 15; seed++) {
      const dataDir = mkdtempSync(join(folder, "seed-"));
      const source = new RandomWrites(randomOf(seed));
      await within(dataDir, (storage) => storage.initialise(GENESIS, SETTINGS));
      for (let restart = 0; restart < 3; restart++) {
        await within(dataDir, async (storage) => {
          expect(storage.restored).toEqual(source.restored());
          const writes = Array.from({ length: 40 }, () => source.next());
          const written = allWritten(storage, writes.at(-1)?.id ?? 0);
          for (const write of writes) storage.write(write);
          const ids = await written;
          expect(ids).toEqual(ids.toSorted((a, b) => a - b));
        });
      }
      await within(dataDir, (storage) => expect(storage.restored).toEqual(source.restored()));
    }
  });

  test("includes the settings that were saved last", async () => {
    await within(folder, (storage) => storage.initialise(GENESIS, SETTINGS));
    await within(folder, (storage) => storage.saveSettings({ ...SETTINGS, bind: "127.0.0.1:9" }));
    await within(folder, (storage) => expect(storage.settings).toEqual({ ...SETTINGS, bind: "127.0.0.1:9" }));
  });

  test("includes what was queued when it was closed", async () => {
    const source = new RandomWrites(randomOf(99));
    await within(folder, async (storage) => {
      await storage.initialise(GENESIS, SETTINGS);
      for (let n = 0; n < 100; n++) storage.write(source.next());
    });
    await within(folder, (storage) => expect(storage.restored).toEqual(source.restored()));
  });
});

/** How many transactions were committed to the database. */
function commitsIn(dataDir: string): number {
  const database = new Database(join(dataDir, "blixard.db"), { readonly: true });
  const value: unknown = database.prepare("SELECT value FROM records WHERE name = 'journal'").pluck().get();
  database.close();
  return (value instanceof Uint8Array ? decodeJournal(value) : null)?.commit ?? Number.NaN;
}

test("what is queued together is committed together, and what comes alone is not held back", async () => {
  const source = new RandomWrites(randomOf(7));
  await within(folder, async (storage) => {
    await storage.initialise(GENESIS, SETTINGS);
    for (let n = 0; n < 5; n++) {
      const write = source.next();
      const written = allWritten(storage, write.id);
      storage.write(write);
      await written;
    }
  });
  expect(commitsIn(folder)).toBe(6);
  await within(folder, async (storage) => {
    const writes = Array.from({ length: 500 }, () => source.next());
    const written = allWritten(storage, writes.at(-1)?.id ?? 0);
    for (const write of writes) storage.write(write);
    await written;
  });
  // One for the first write, and a few for all that came during it.
  expect(commitsIn(folder)).toBeLessThan(6 + 50);
  await within(folder, (storage) => expect(storage.restored).toEqual(source.restored()));
});

function writer(
  dataDir: string,
  seed: number,
  count?: number,
): { child: ChildProcess; durable: () => number; ended: Promise<void> } {
  const args = [
    join(import.meta.dirname, "testing", "writer.ts"),
    dataDir,
    `${seed}`,
    ...(count === undefined ? [] : [`${count}`]),
  ];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let last = 0;
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => {
    last = Number(line);
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return { child, durable: () => last, ended };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

test("a process that is killed loses nothing that was reported durable", { timeout: 120_000 }, async () => {
  for (let round = 1; round <= 12; round++) {
    const dataDir = mkdtempSync(join(folder, "killed-"));
    const { child, durable, ended } = writer(dataDir, round);
    await until(() => durable() >= round * 20);
    child.kill("SIGKILL");
    await ended;
    // The same writes again. What is stored is the result of some prefix of them that is not shorter than what was
    // reported.
    const stored = await within(dataDir, (storage) => storage.restored);
    const source = new RandomWrites(randomOf(round));
    const candidates: unknown[] = [];
    for (let id = 1; id <= durable() + 16; id++) {
      source.next();
      if (id >= durable()) candidates.push(source.restored());
    }
    expect(candidates).toContainEqual(stored);
  }
});

describe("a data directory", () => {
  test("is used by one process only, and free again when that is killed", async () => {
    const { child, durable, ended } = writer(folder, 1);
    await until(() => durable() > 10);
    const busy = await refusal(folder);
    expect(busy.kind).toBe("locked");
    expect(busy.message).toContain(`process ${child.pid}`);
    child.kill("SIGKILL");
    await ended;
    await within(folder, (storage) => expect(storage.restored).not.toBeNull());
  });

  test("of a newer version is refused, and left as it is", async () => {
    await within(folder, (storage) => storage.initialise(GENESIS, SETTINGS));
    const database = new Database(join(folder, "blixard.db"));
    database.prepare("INSERT INTO schema VALUES (?)").run(MIGRATIONS.length + 1);
    database.close();
    expect(await refusal(folder)).toMatchObject({ kind: "newer", recovery: expect.stringContaining("newer blixard") });
  });

  test("that cannot be written is refused with what to do", async () => {
    chmodSync(folder, 0o500);
    // Root may write anywhere.
    if (process.getuid?.() === 0) writeFileSync(join(folder, "blixard.db"), "x".repeat(4096));
    const error = await refusal(folder);
    expect(["unusable", "damaged"]).toContain(error.kind);
    chmodSync(folder, 0o700);
  });

  test("of an older format is migrated in one transaction, or stays as it was", () => {
    const database = new Database(join(folder, "old.db"));
    const broken = [
      ...MIGRATIONS,
      () => {
        throw new Error("half way");
      },
    ];
    expect(() => migrate(database, broken)).toThrow("half way");
    expect(schemaVersion(database)).toBe(0);
    migrate(database);
    expect(schemaVersion(database)).toBe(MIGRATIONS.length);
    const next = [...MIGRATIONS, (it: Database.Database) => void it.exec("CREATE TABLE later (n INTEGER)")];
    migrate(database, next);
    expect(schemaVersion(database)).toBe(MIGRATIONS.length + 1);
    database.close();
  });
});

describe("damage", () => {
  /**
   * Copies of the directory of a process that was killed, so that much is in the write-ahead log, and of one that was
   * closed in order.
   */
  async function directories(): Promise<readonly { readonly dataDir: string; readonly true: unknown }[]> {
    const killed = join(folder, "killed");
    const orderly = join(folder, "orderly");
    const { mkdirSync } = await import("node:fs");
    mkdirSync(killed);
    mkdirSync(orderly);
    const { child, durable, ended } = writer(killed, 5, 300);
    await until(() => durable() === 300);
    child.kill("SIGKILL");
    await ended;
    cpSync(killed, orderly, { recursive: true });
    const stored = await within(orderly, (storage) => storage.restored);
    expect(existsSync(join(killed, "blixard.db-wal"))).toBe(true);
    return [
      { dataDir: killed, true: stored },
      { dataDir: orderly, true: stored },
    ];
  }

  test("of random bytes in 200 copies is refused, or harmless", { timeout: 180_000 }, async () => {
    const sources = await directories();
    const counts = { refused: 0, harmless: 0 };
    for (let copy = 0; copy < 200; copy++) {
      const random = randomOf(1000 + copy);
      const source = sources[copy % 2];
      if (source === undefined) throw new Error("fixture");
      const dataDir = join(folder, `copy-${copy}`);
      cpSync(source.dataDir, dataDir, { recursive: true });
      const files = ["blixard.db", "blixard.db-wal"].filter(
        (file) => existsSync(join(dataDir, file)) && statSync(join(dataDir, file)).size > 0,
      );
      const path = join(dataDir, files[Math.floor(random() * files.length)] ?? "blixard.db");
      const bytes = readFileSync(path);
      for (let flips = 1 + Math.floor(random() * 64); flips > 0; flips--) {
        const at = Math.floor(random() * bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ (1 + Math.floor(random() * 255));
      }
      writeFileSync(path, bytes);
      try {
        const restored = await within(dataDir, (storage) => storage.restored);
        expect(restored).toEqual(source.true);
        counts.harmless++;
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        expect({ kind: error.kind, message: error.message }).toMatchObject({ kind: "damaged" });
        expect(error.recovery).toContain("--replace-from-peers");
        counts.refused++;
      }
      rmSync(dataDir, { recursive: true });
    }
    expect(counts.refused + counts.harmless).toBe(200);
    expect(counts.refused).toBeGreaterThan(100);
  });

  test.each(["blixard.db-wal", "blixard.db.horizon", "blixard.db"])("%s that is gone is noticed", async (file) => {
    const [killed] = await directories();
    if (killed === undefined) throw new Error("fixture");
    unlinkSync(join(killed.dataDir, file));
    const error = await refusal(killed.dataDir);
    expect(error.kind).toBe("damaged");
  });

  test("that was refused is left as it is, byte for byte", async () => {
    const [killed] = await directories();
    if (killed === undefined) throw new Error("fixture");
    const log = join(killed.dataDir, "blixard.db-wal");
    const bytes = readFileSync(log);
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] ?? 0) ^ 255;
    writeFileSync(log, bytes);
    const database = readFileSync(join(killed.dataDir, "blixard.db"));
    for (let n = 0; n < 2; n++) expect((await refusal(killed.dataDir)).kind).toBe("damaged");
    expect(readFileSync(log).equals(bytes)).toBe(true);
    expect(readFileSync(join(killed.dataDir, "blixard.db")).equals(database)).toBe(true);
  });

  test("is not reported when power fails before the number of commits has reached the disk", async () => {
    const [killed] = await directories();
    if (killed === undefined) throw new Error("fixture");
    // The horizon as it was made. That is durable from the beginning.
    const early = join(folder, "early");
    await import("node:fs").then(({ mkdirSync }) => mkdirSync(early));
    await within(early, () => undefined);
    cpSync(join(early, "blixard.db.horizon"), join(killed.dataDir, "blixard.db.horizon"));
    expect(await within(killed.dataDir, (storage) => storage.restored)).toEqual(killed.true);
  });

  test("the settings of a damaged directory can often still be read", async () => {
    const [killed] = await directories();
    if (killed === undefined) throw new Error("fixture");
    unlinkSync(join(killed.dataDir, "blixard.db.horizon"));
    expect((await refusal(killed.dataDir)).kind).toBe("damaged");
    expect(await readSettings(killed.dataDir)).toEqual(SETTINGS);
  });
});
