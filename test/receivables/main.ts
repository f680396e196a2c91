import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startEmbeddedPostgres } from "../../src/platform/embedded";
import { migrateToLatest } from "../../src/platform/migrate";
import { run } from "../fuzz/program";
import { createTestDatabase, SERVICES_VARIABLE } from "../support/services";
import { DEFECTS, tryDefects } from "./defects";
import type { Outcome } from "./sequence";
import { runSequences } from "./world";

const ABOUT = `npm run receivables: what a payment makes the switch owe is cleared once, whatever the order of operations.

Each sequence has four bills and a business date of its own, on a real PostgreSQL. Payments and reversals of the switch, files,
replaced and late files, runs, settlements, proposals, approvals, undoings and pairs of them at the same time follow one another in
an order that the seed decides. After each operation every receivable is held against what that operation may do; in the end two
people explain what is left, and nothing may be due, open or in transit that the files do not say.

  --sequences N  how many, default 2,000
  --length N     operations of each, default 30
  --from N       the first seed, default 1
  --sensitivity  seeds one defect after the other into a copy of the product and tells which seed notices
  --only TEXT    with --sensitivity: only defects whose name contains this
  --help         this text

Exit code 0: everything held, or all defects were noticed; 1: not so; 2: the arguments are wrong.`;

/** A database of so many sequences, then the next: laws over all the books stay quick. */
const IN_ONE_DATABASE = 100;

const { values: given } = parseArgs({
  options: {
    sequences: { type: "string" },
    length: { type: "string" },
    from: { type: "string" },
    sensitivity: { type: "boolean" },
    only: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});

run(async () => {
  if (given.help === true) {
    console.log(ABOUT);
    return 0;
  }
  if (given.sensitivity === true) return showSensitivity();
  const sequences = wholeNumber("sequences", 2_000);
  const [from, length] = [wholeNumber("from", 1), wholeNumber("length", 30)];
  const startedMs = performance.now();
  const failures = await withServer(() => runAll(from, sequences, length));
  for (const { seed, operations, violation } of failures) {
    console.log(`seed ${seed}: ${violation}`);
    for (const operation of operations) console.log(`    ${operation}`);
  }
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
  console.log(`${sequences} sequences of ${length} operations, ${failures.length} violations, ${seconds} s`);
  return failures.length === 0 ? 0 : 1;
});

async function runAll(from: number, sequences: number, length: number): Promise<Outcome[]> {
  for (let done = 0; done < sequences; done += IN_ONE_DATABASE) {
    const database = await createTestDatabase();
    try {
      const count = Math.min(IN_ONE_DATABASE, sequences - done);
      const onDone = (here: number): void => {
        if (process.stderr.isTTY || here % 50 === 0) process.stderr.write(`${done + here} sequences\n`);
      };
      const failures = await runSequences(database, { from: from + done, count, length, onDone });
      if (failures.length > 0) return failures;
    } finally {
      await database.drop();
    }
  }
  return [];
}

/** A server of its own; nothing that is tested here needs durable settings. */
async function withServer<T>(work: () => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), "biller-receivables-"));
  chmodSync(dir, 0o755);
  const template = "biller_template";
  const postgres = await startEmbeddedPostgres({
    dataDir: join(dir, "postgres"),
    log: () => {},
    durable: false,
    settings: { max_connections: "50" },
    database: template,
  });
  try {
    await migrateToLatest(postgres.ownerUrl, { log: () => {} });
    const { superuserUrl, ownerUrl, appUrl, auditorUrl } = postgres;
    const services = { superuserUrl, ownerUrl, appUrl, auditorUrl, redisUrl: "", templateDatabase: template };
    process.env[SERVICES_VARIABLE] = JSON.stringify(services);
    return await work();
  } finally {
    await postgres.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function showSensitivity(): Promise<number> {
  const defects = DEFECTS.filter(({ name }) => name.includes(given.only ?? ""));
  let missed = 0;
  await tryDefects(defects, ({ name, isNoticed, what }) => {
    if (!isNoticed) missed += 1;
    console.log(`${isNoticed ? "noticed" : "MISSED "}  ${name}: ${what}`);
  });
  console.log(`${defects.length - missed} of ${defects.length} defects noticed`);
  return missed === 0 ? 0 : 1;
}

function wholeNumber(name: "sequences" | "length" | "from", usual: number): number {
  const text = given[name];
  if (text === undefined) return usual;
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new RangeError(`--${name} must be a whole number from 1`);
  return Number(text);
}
