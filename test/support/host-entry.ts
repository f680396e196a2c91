import { startHost } from "../../src/compose";
import { configFromProcess, createLogger } from "../../src/platform";
import { openServices } from "../../src/services";

/**
 * A host as a process of its own, for tests that kill it. CRASH_AT names a point of the posting path; the process is
 * killed the first time it gets there.
 */
async function main(): Promise<void> {
  const config = configFromProcess();
  const services = await openServices({ config, log: () => {}, onLost: () => process.exit(1), mayShare: false });
  const crashAt = process.env["CRASH_AT"];
  const host = await startHost({
    config,
    services,
    logger: createLogger({ level: "silent" }),
    reach: (point) => {
      if (point === crashAt) process.kill(process.pid, "SIGKILL");
    },
  });
  process.stdout.write(`listening ${host.url}\n`);
  process.on("SIGTERM", () => {
    void host.stop().then(() => process.exit(0));
  });
}

void main();
