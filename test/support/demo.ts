import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TEST_KEYS } from "./builders";
import { type Running, startBiller } from "./command-line";
import { type TestDatabase, testServices } from "./services";

/** A demo that is running. */
export interface Demo {
  readonly shop: string;
  readonly finpay: string;
  readonly host: string;
  readonly running: Running;
  /** Stops it as Ctrl-C does. @returns its exit code */
  stop(): Promise<number | null>;
}

/** Starts `biller demo` on a database of its own; what it writes goes to a directory that is removed afterwards. */
export function startDemoCommand(database: TestDatabase, ...args: readonly string[]): Running {
  const dir = mkdtempSync(join(tmpdir(), "biller-demo-"));
  const running = startBiller(["demo", ...args], {
    DATABASE_URL: database.appUrl,
    MIGRATION_DATABASE_URL: database.ownerUrl,
    CREDENTIAL_KEYS: TEST_KEYS.map(([id, key]) => `${id}:${key.toString("base64")}`).join(),
    REDIS_URL: testServices().redisUrl,
    ALLOW_UNSAFE_DURABILITY: "true",
    DATA_DIR: dir,
  });
  void running.ended.then(() => rmSync(dir, { recursive: true, force: true }));
  return running;
}

/** Starts a demo and waits until it is ready; on free ports unless a `--port` is given, of which the last one counts. */
export async function startDemo(database: TestDatabase, ...args: readonly string[]): Promise<Demo> {
  const running = startDemoCommand(database, "--port", "0", ...args);
  const told = await running.prints(/^ {2}host .*$/m);
  const addressOf = (who: string): string => new RegExp(`^ {2}${who} +(http://\\S+)`, "m").exec(told)?.[1] ?? "";
  return {
    ...{ shop: addressOf("shop"), finpay: addressOf("Finpay"), host: addressOf("host"), running },
    async stop() {
      running.child.kill("SIGINT");
      return (await running.ended).code;
    },
  };
}
