import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startEmbeddedPostgres } from "../../src/platform/embedded";
import { migrateToLatest } from "../../src/platform/migrate";
import { openDatabase, type Stage } from "../bench/stage";
import { run } from "../fuzz/program";
import { runMonth } from "./month";

run(async () => {
  const { values } = parseArgs({
    options: { lines: { type: "string", default: "1000000" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help || !/^[1-9][0-9]{1,7}$/.test(values.lines)) {
    console.log(`A month of settlement, from its files to closed days, by two people and the commands of docs/RECONCILIATION.md.

  --lines N   payments of the month, 10 to 99999999, default 1,000,000; about as many lines

Exit code 0: everything is explained to the rupiah; 1: something is not; 2: the arguments are wrong.`);
    return values.help ? 0 : 2;
  }
  const dir = mkdtempSync(join(tmpdir(), "biller-month-"));
  chmodSync(dir, 0o755);
  const postgres = await startEmbeddedPostgres({
    ...{ dataDir: join(dir, "postgres"), log: () => {}, durable: true, settings: { max_wal_size: "4GB" } },
  });
  try {
    await migrateToLatest(postgres.ownerUrl, { log: () => {} });
    const database = await openDatabase({ postgres } as Stage, "biller");
    try {
      const payments = Number(values.lines);
      const damageEvery = Math.min(250, Math.max(2, Math.floor(payments / 600)));
      const say = (line: string): void => console.error(line);
      const { report, faults } = await runMonth(database, { payments, days: 30, damageEvery, say });
      console.log(report);
      for (const fault of faults) console.error(fault);
      return faults.length === 0 ? 0 : 1;
    } finally {
      await database.close();
    }
  } finally {
    await postgres.stop();
    rmSync(dir, { recursive: true, force: true });
  }
});
