import { chmodSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type EmbeddedPostgres,
  type EmbeddedRedis,
  startEmbeddedPostgres,
  startEmbeddedRedis,
} from "../../src/platform/embedded";
import { migrateToLatest } from "../../src/platform/migrate";
import { SERVICES_VARIABLE, type TestServices } from "./services";

/** What the tear-down has to stop. */
export interface StartedServices {
  readonly dir: string;
  readonly postgres: EmbeddedPostgres;
  readonly redis: EmbeddedRedis;
}

declare global {
  // eslint-disable-next-line no-var -- a global is what jest hands from set-up to tear-down
  var startedServices: StartedServices | undefined;
}

const TEMPLATE = "biller_template";

/** One PostgreSQL and one Redis for the whole run, and one migrated template that every test file clones. */
export default async function globalSetup(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "biller-test-"));
  chmodSync(dir, 0o755);
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  const postgres = await startEmbeddedPostgres({
    dataDir: join(dir, "postgres"),
    log: () => {},
    // Faster; durability itself is tested on a server of its own.
    durable: false,
    settings: { max_connections: "300" },
    database: TEMPLATE,
  });
  const redis = await startEmbeddedRedis({ dir: join(dir, "redis"), path: process.env["PATH"] ?? "", log });
  if (redis === null) {
    await postgres.stop();
    throw new Error("the tests need redis-server or valkey-server on the PATH: run npm test, which brings one");
  }
  await migrateToLatest(postgres.ownerUrl, { log: () => {} });
  const services: TestServices = {
    superuserUrl: postgres.superuserUrl,
    ownerUrl: postgres.ownerUrl,
    appUrl: postgres.appUrl,
    auditorUrl: postgres.auditorUrl,
    redisUrl: redis.url,
    templateDatabase: TEMPLATE,
  };
  process.env[SERVICES_VARIABLE] = JSON.stringify(services);
  globalThis.startedServices = { dir, postgres, redis };
}
