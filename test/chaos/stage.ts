import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Build, type Snapshot, takeSnapshot } from "./build";
import { startPostgres, startRedis } from "./servers";
import { migrate, type Servers } from "./world";

/** What every kind of run needs. */
export interface Stage {
  readonly dir: string;
  readonly servers: Servers;
  readonly snapshot: Snapshot;
  /** The product as it is. */
  readonly build: Build;
}

/** Brings up a durable PostgreSQL, a Redis and a copy of the product; takes everything down whatever happens. */
export async function onStage<T>(work: (stage: Stage) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), "biller-chaos-"));
  // PostgreSQL runs under another account when this is root.
  chmodSync(dir, 0o755);
  const clean = (): void => rmSync(dir, { recursive: true, force: true });
  process.once("exit", clean);
  try {
    const postgres = await startPostgres(join(dir, "postgres"));
    try {
      const redis = await startRedis();
      try {
        const snapshot = takeSnapshot(dir);
        const build = snapshot.build("as-it-is");
        if ((await migrate(build, postgres.urls.ownerUrl)) !== 0) throw new Error("the template was not migrated");
        return await work({ dir, servers: { postgres, redis }, snapshot, build });
      } finally {
        await redis.stop();
      }
    } finally {
      await postgres.stop();
    }
  } finally {
    clean();
    process.off("exit", clean);
  }
}
