import { statfsSync } from "node:fs";
import { medianOf, tableOf } from "../fuzz/program";
import { onServer } from "../support/services";
import { makeBills, makeEntries, makeQuotes } from "./bills";
import { startLoader } from "./loader-process";
import { measure, type Measuring, PAYMENT_AMOUNT, REPEATED, type Sample, type Supply } from "./measure";
import { walkOver } from "./messages";
import type { BenchOptions } from "./options";
import { type Contestant, untilQuiet } from "./processes";
import {
  type BenchDatabase,
  bit61Of,
  cloneTemplate,
  openTemplate,
  prepareTemplate,
  type Stage,
  startOurHost,
} from "./stage";

/** What growth costs. */
export interface GrowthResult {
  readonly samples: readonly Sample[];
  readonly faults: readonly string[];
  readonly report: string;
}

const SMALL_ROWS = 10_000;
/** Bytes on disk of one bill with items, quote, registry row, entry and postings, indexes included; and room for WAL. */
const BYTES_PER_ROW = 4_500;
const SPARE_BYTES = 8 * 2 ** 30;
/** Large enough to be paid again and again. */
const ITEM_AMOUNT = 100_000_000;
const CONNECTIONS = 64;
const GOAL = 0.9;

interface Side {
  readonly name: string;
  readonly rows: number;
  readonly database: BenchDatabase;
  readonly host: Contestant;
  readonly payable: Supply;
  readonly asked: Supply;
}

/** The same payments and inquiries on ten thousand bills and entries, and on many. Bills are met far apart, in no order. */
export async function runGrowth(stage: Stage, options: BenchOptions): Promise<GrowthResult> {
  const { say } = stage;
  const { bavail, bsize } = statfsSync(stage.dir);
  const fits = Math.floor((bavail * bsize - SPARE_BYTES) / BYTES_PER_ROW);
  const rows = Math.min(options.growthRows, fits);
  say(
    `${((bavail * bsize) / 2 ** 30).toFixed(0)} GiB free under ${stage.dir}, room for about ${fits.toLocaleString("en")} bills ` +
      `and entries; ${rows.toLocaleString("en")} are made${rows < options.growthRows ? ", fewer than asked for" : ""}`,
  );
  if (rows < 2 * SMALL_ROWS) throw new Error("too little disk space for a comparison");
  await prepareTemplate(stage, true);
  await (await openTemplate(stage)).close();
  const superuser = stage.postgres.superuserUrl;
  for (const text of ["alter system set autovacuum = off", "select pg_reload_conf()"]) await onServer(superuser, text);
  const loader = await startLoader();
  const sides: Side[] = [];
  const samples: Sample[] = [];
  const faults: string[] = [];
  const runTag = `B${Date.now().toString(36).toUpperCase()}`;
  const measuring: Measuring = {
    ...{ loader, postgresPid: stage.postgres.pid, redisPid: stage.redis.pid, amount: PAYMENT_AMOUNT },
    ...{ bit61: bit61Of(ITEM_AMOUNT, true), runTag, repeated: REPEATED, quietMaxMs: 6_000 },
  };
  try {
    for (const [name, count] of [
      ["small", SMALL_ROWS],
      ["large", rows],
    ] as const) {
      const database = await cloneTemplate(stage, `bench_growth_${name}`);
      await fill(database, count, measuring, say);
      const host = await startOurHost(stage, database);
      const supply = (): Supply => ({ walk: walkOver(0, count), isEndless: true, step: 0 });
      sides.push({ name, rows: count, database, host, payable: supply(), asked: supply() });
    }
    for (const text of ["alter system reset autovacuum", "select pg_reload_conf()", "checkpoint"]) {
      await onServer(superuser, text);
    }
    for (let round = 0; round <= options.rounds; round += 1) {
      for (const kind of ["payment", "inquiry"] as const) {
        for (const { name, host, payable, asked } of sides) {
          const sample = await measure(measuring, {
            ...{
              what: `${round === 0 ? "warm-up, " : ""}${kind}, ${name}`,
              contestant: host,
              kind,
              expect: "approved",
            },
            ...{ connections: CONNECTIONS, round, seconds: options.seconds },
            from: kind === "payment" ? payable : asked,
          });
          samples.push(sample);
          if (sample.unexpected > 0)
            faults.push(`${sample.what}: ${sample.unexpected} unexpected: ${sample.samples[0]}`);
          say(
            `round ${round}  ${sample.what.padEnd(16)} ${Math.round(sample.perSecond).toLocaleString("en").padStart(7)}/s  ` +
              `p50 ${sample.p50.toFixed(1)} ms  p99 ${sample.p99.toFixed(1)} ms`,
          );
        }
      }
    }
    say("checking the books");
    for (const { name, database, host } of sides) {
      await untilQuiet([host.pid], 10_000);
      await host.stop();
      const approved = samples
        .filter(({ what }) => what.endsWith(`payment, ${name}`))
        .reduce((sum, { answered }) => sum + answered, 0);
      faults.push(...(await checkNewEntries(database, runTag, approved)).map((each) => `${name}: ${each}`));
    }
    const sizes = await Promise.all(sides.map(({ database }) => sizeOf(database)));
    return { samples, faults, report: reportOf(sides, samples, sizes) };
  } finally {
    for (const { host, database } of sides) {
      await host.stop();
      await database.close();
    }
    loader.stop();
  }
}

async function fill(
  database: BenchDatabase,
  rows: number,
  { bit61 }: Measuring,
  say: (line: string) => void,
): Promise<void> {
  const range = { from: 0, to: rows };
  await makeBills(database, { ...range, itemAmount: ITEM_AMOUNT, paidAmount: PAYMENT_AMOUNT }, say);
  await makeQuotes(database, { ...range, itemAmount: ITEM_AMOUNT, bit61 }, say);
  const replyBody = JSON.stringify({ bit61: bit61.text, resultCode: "00" }).padEnd(800);
  await makeEntries(database, { ...range, amount: PAYMENT_AMOUNT, replyBody }, say);
  say("vacuum and analyze");
  await database.query("vacuum (freeze, analyze)");
}

/** The payments of this run: as many keys and entries as approved replies, every entry balanced. */
async function checkNewEntries(database: BenchDatabase, runTag: string, approved: number): Promise<string[]> {
  const [row] = await database.query<{ keys: bigint; entries: bigint; balanced: bigint }>(
    `with mine as materialized (
       select entry_id, bill_key, business_date from trax
        where partner_id = 1 and trax_id >= $1 and trax_id < $2 and outcome = 'APPROVED'
     ), entered as (
       select m.entry_id from mine m join journal_entry e using (entry_id, bill_key, business_date)
     ), balanced as (
       select m.entry_id from mine m join posting p using (entry_id, bill_key, business_date)
        group by m.entry_id having sum(case p.side when 'debit' then p.amount else -p.amount end) = 0
     )
     select (select count(*) from mine) as keys, (select count(*) from entered) as entries,
            (select count(*) from balanced) as balanced`,
    [runTag, `${runTag}Z`],
  );
  return Object.entries(row ?? { keys: 0n })
    .filter(([, count]) => Number(count) !== approved)
    .map(([name, count]) => `${approved} approved replies, but ${name}: ${count}`);
}

async function sizeOf(database: BenchDatabase): Promise<number> {
  const [row] = await database.query<{ bytes: string }>("select pg_database_size(current_database())::text as bytes");
  return Number(row?.bytes ?? 0);
}

function reportOf(sides: readonly Side[], samples: readonly Sample[], sizes: readonly number[]): string {
  const rates = (what: string): number[] =>
    samples.filter((each) => each.what === what).map(({ perSecond }) => perSecond);
  const p99 = (what: string): number => medianOf(samples.filter((each) => each.what === what).map((each) => each.p99));
  const head = ["at c = 64, per second", ...sides.map(({ rows }) => `${rows.toLocaleString("en")} bills and entries`)];
  const table = tableOf(
    [...head, "ratio", "goal"],
    ["payment", "inquiry"].map((kind) => {
      const medians = sides.map(({ name }) => medianOf(rates(`${kind}, ${name}`)));
      const cells = sides.map(({ name }, index) => {
        const what = `${kind}, ${name}`;
        return `${Math.round(medians[index] ?? 0).toLocaleString("en")} (p99 ${p99(what).toFixed(1)} ms; ${rates(what).map(Math.round).join(" ")})`;
      });
      return [kind, ...cells, ((medians[1] ?? 0) / (medians[0] ?? 1)).toFixed(2), `>= ${GOAL}`];
    }),
  );
  const places = sides.map(({ name }, index) => `${name} ${((sizes[index] ?? 0) / 2 ** 20).toFixed(0)} MiB`);
  return `${table}\n\nsize of the databases: ${places.join(", ")}`;
}
