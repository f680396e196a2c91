import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { startHost } from "../../src/compose";
import type { PostingPoint } from "../../src/flows";
import { configFromProcess, createLogger } from "../../src/platform";
import { migrateToLatest } from "../../src/platform/migrate";
import { openServices } from "../../src/services";

// What the harness runs: a host that does at a point what it was told over standard input, or a migration.

/** What happens at an armed point: the process is killed, or stands still until it is woken; an error; a long wait. */
export type Act = "kill" | "stop" | "throw" | "hang";

interface Armed {
  readonly point: PostingPoint;
  readonly act: Act;
  readonly hangMs: number;
  /** How often the point is passed before. */
  skip: number;
}

let armed: Armed | null = null;

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

function reach(point: PostingPoint): void | Promise<void> {
  if (armed?.point !== point) return undefined;
  if (armed.skip > 0) {
    armed.skip -= 1;
    return undefined;
  }
  const { act, hangMs } = armed;
  armed = null;
  say(`at ${point}`);
  if (act === "kill") process.kill(process.pid, "SIGKILL");
  if (act === "stop") process.kill(process.pid, "SIGSTOP");
  if (act === "throw") throw new Error(`thrown at ${point}`);
  return act === "hang" ? new Promise((resolve) => setTimeout(resolve, hangMs)) : undefined;
}

async function host(): Promise<void> {
  const config = configFromProcess();
  const services = await openServices({ config, log: () => {}, onLost: () => process.exit(1), mayShare: false });
  const logger = createLogger({
    level: config.logLevel,
    destination: { write: (line) => void process.stderr.write(line) },
  });
  const running = await startHost({ config, services, logger, reach });
  process.on("SIGTERM", () => {
    void running.stop().then(() => process.exit(0));
  });
  createInterface({ input: process.stdin }).on("line", (line) => {
    armed = JSON.parse(line) as Armed | null;
    say("armed");
  });
  say(`listening ${running.url}`);
}

async function migrate(): Promise<void> {
  const dieAt = Number(process.env["DIE_AT_MIGRATION"] ?? "0");
  let started = 0;
  const applied = await migrateToLatest(process.env["MIGRATION_DATABASE_URL"] ?? "", {
    log: () => {
      started += 1;
      if (started === dieAt) process.kill(process.pid, "SIGKILL");
    },
  });
  say(`applied ${applied.length}`);
}

(process.argv[2] === "migrate" ? migrate() : host()).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
