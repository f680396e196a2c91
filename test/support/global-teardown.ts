import { rmSync } from "node:fs";
import "./global-setup";

/** Stops what the set-up started. */
export default async function globalTeardown(): Promise<void> {
  const started = globalThis.startedServices;
  if (started === undefined) return;
  await started.redis.stop();
  await started.postgres.stop();
  rmSync(started.dir, { recursive: true, force: true });
}
