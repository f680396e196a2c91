import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readBrokenReceivables } from "../../src/ledger";
import { catalogOf, fill, testDb, transact } from "../support/builders";
import { brokenLaws } from "../support/laws";
import type { TestDatabase } from "../support/services";
import { RULES } from "../support/settlement-days";
import { FULL_PROFILE, settlementDesk } from "../support/settlement-files";
import { twoPeople } from "../support/two-people";
import { type Outcome, PROFILE, runSequence, type World } from "./sequence";

/** Which sequences are run. */
export interface SequencesOptions {
  readonly from: number;
  readonly count: number;
  readonly length: number;
  readonly onDone?: (done: number) => void;
}

/** Runs sequences one after the other in one database, and holds the books against all laws in the end. */
export async function runSequences(database: TestDatabase, options: SequencesOptions): Promise<Outcome[]> {
  const { from, count, length } = options;
  const dir = mkdtempSync(join(tmpdir(), "biller-receivables-"));
  const db = testDb(database.appUrl, 6);
  const failures: Outcome[] = [];
  try {
    const world = await openWorld(database, db, dir);
    for (let place = 0; place < count; place += 1) {
      const outcome = await runSequence(world, from + place, place, length);
      if (outcome.violation !== null) failures.push(outcome);
      options.onDone?.(place + 1);
      if (failures.length >= 3) break;
    }
    const broken = await transact(db, (tx) => readBrokenReceivables(tx, 10));
    const laws = [...broken.map(({ entryId, what }) => `${entryId}: ${what}`), ...(await brokenLaws(database))];
    if (laws.length > 0) failures.push({ seed: from, operations: [], violation: laws.join("\n") });
  } finally {
    await db.close();
    rmSync(dir, { recursive: true, force: true });
  }
  return failures;
}

async function openWorld(database: TestDatabase, db: World["db"], dir: string): Promise<World> {
  await fill(database, []);
  await database.query("select ensure_month_partitions(6, '2024-01-01')");
  const desk = settlementDesk(database);
  await desk.saveProfile(PROFILE, { ...FULL_PROFILE, rules: RULES });
  desk.close();
  return { database, db, dir, catalog: await catalogOf(db), people: await twoPeople(database, db) };
}
