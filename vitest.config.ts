import { configDefaults, defineConfig } from "vitest/config";

/** These load native code (QUIC, SQLite), whose own threads must not outlive the JavaScript thread that they belong to: each file gets a process. */
const native = ["runtime-real/**/*.test.ts", "cli/**/*.test.ts"];

export default defineConfig({
  test: {
    environment: "node",
    maxWorkers: "100%",
    // A test that passes only at the second try is a finding, not a pass.
    retry: 0,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "pure",
          pool: "threads",
          include: ["**/*.test.ts"],
          exclude: [...configDefaults.exclude, ...native],
        },
      },
      { extends: true, test: { name: "real", pool: "forks", include: native } },
    ],
  },
});
