import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { startHost } from "../../src/compose";
import type { DeliveryPoint } from "../../src/callbacks";
import type { PostingPoint } from "../../src/flows";
import { openSealer } from "../../src/ledger";
import { importSettlementFile, runReconciliation } from "../../src/ops";
import { configFromProcess, createLogger, createSecretBox, openDb, systemClock } from "../../src/platform";
import { migrateToLatest } from "../../src/platform/migrate";
import { openServices } from "../../src/services";

// What the harness runs: a host that does at a point what it was told over standard input, a migration, a sealer, or one
// step of reconciliation.

/** Every point at which something can be made to happen. */
export type Point = PostingPoint | DeliveryPoint;

/** What happens at an armed point: the process is killed, or stands still until it is woken; an error; a long wait. */
export type Act = "kill" | "stop" | "throw" | "hang";

interface Armed {
  readonly point: Point;
  readonly act: Act;
  readonly hangMs: number;
  /** How often the point is passed before. */
  skip: number;
}

let armed: Armed | null = null;

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

function reach(point: Point): void | Promise<void> {
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

const env = (name: string): string => process.env[name] ?? "";

/** Seals without rest until it is ended; says which blocks it has made. */
async function seal(): Promise<void> {
  const db = openDb({
    ...{ url: env("DATABASE_URL"), poolMax: 1, applicationName: "biller-sealer", clock: systemClock },
    ...{ statementTimeoutMs: 7_000, lockTimeoutMs: 5_000, connectTimeoutMs: 2_000 },
  });
  const secrets = createSecretBox([["test", Buffer.from(env("SEAL_SECRET"), "base64")]]);
  openSealer({
    ...{ db, clock: systemClock, secrets, intervalMs: 50, checkpointIntervalMs: 200, targets: [], leavesMax: 7 },
    onBlock: ({ blockNo, leaves }) => say(`block ${blockNo} ${leaves}`),
    onFault: (fault) => process.stderr.write(`${String(fault)}\n`),
  });
  say("sealing");
  await new Promise(() => {});
}

/** Imports a file, or reconciles its date, and says what came of it. */
async function reconcile(step: "import" | "run"): Promise<void> {
  const common = { databaseUrl: env("DATABASE_URL"), profileCode: "full", by: "chaos (test)" as const };
  const date = env("SETTLEMENT_DATE");
  const result =
    step === "import"
      ? await importSettlementFile({
          ...{ ...common, path: env("SETTLEMENT_FILE"), date, mayReplace: false, acceptsTotals: false },
        })
      : await runReconciliation({ ...common, settlementDate: date, isDryRun: false, redecidesDeclared: false });
  say(JSON.stringify(result, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value)));
}

const PARTS: Readonly<Record<string, () => Promise<void>>> = {
  ...{ host, migrate, seal },
  import: () => reconcile("import"),
  run: () => reconcile("run"),
};

(PARTS[process.argv[2] ?? "host"] ?? host)().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
