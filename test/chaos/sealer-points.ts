import { verifySeals } from "../../src/ledger";
import { sleep } from "../../src/platform";
import { testDb, transact } from "../support/builders";
import { newSealKey } from "../support/seal";
import type { TestDatabase } from "../support/services";
import { JOB_ACTS, type JobAct, until, type WorldCase } from "./case";
import { type Job, startJob } from "./job";
import { harmAt, type JobPoint } from "./job-line";
import { openLink } from "./link";
import { signal } from "./servers";
import { reversalOf } from "./storms";
import { openWorld, type World } from "./world";

/** In the transaction of the second block. */
export const BLOCK_WRITTEN: JobPoint = { name: "block written", text: "ledger_seal_insert_block", skip: 1 };
const POINTS: readonly JobPoint[] = [
  BLOCK_WRITTEN,
  { name: "leaves written", text: "ledger_seal_insert_items", skip: 1 },
  { name: "state written", text: "ledger_seal_write_state", skip: 1 },
  { name: "COMMIT of a block, not received", text: "ledger_seal_insert_block", skip: 1, atCommit: "not received" },
  { name: "COMMIT of a block, not answered", text: "ledger_seal_insert_block", skip: 1, atCommit: "not answered" },
  { name: "checkpoint", text: "ledger_seal_insert_checkpoint", skip: 0 },
];
/** Longer than a pass and its rest. */
const STANDSTILL_MS = 2_500;
/** A sealer rests for five seconds after a fault. */
const SEALED_WITHIN_MS = 25_000;

/** Something happens to a sealer while payments go on; it, or another one, must go on where it was. */
export function sealerCases(): WorldCase[] {
  return POINTS.flatMap((point) =>
    JOB_ACTS.map((act) => ({
      ...{ crashPoint: "CP18 sealer", where: point.name, act },
      run: whileSealing(point, act),
    })),
  );
}

/** One of these. */
export function whileSealing(point: JobPoint, act: JobAct): WorldCase["run"] {
  return async (stage) => {
    // The hosts here do not seal, or they would take everything in a block or two before the point is reached.
    const world = await openWorld({ ...stage, bills: 40, shopBills: 10 });
    const link = await openLink(stage.servers.postgres.port);
    const sealers: Job[] = [];
    const startSealer = (url: string): Job => {
      const sealer = startJob(stage.build, "seal", { DATABASE_URL: url });
      sealers.push(sealer);
      return sealer;
    };
    try {
      await newSealKey({ ownerUrl: world.ownerUrl() } as TestDatabase);
      await world.start(await world.addPlace());
      await pay(world, 5);
      const behind = new URL(world.appUrl());
      behind.port = String(link.port);
      const first = startSealer(behind.toString());
      // There is a chain already, which whoever goes on has to continue.
      await allSealed(world);
      const state = harmAt(link, point, act, () => first);
      await pay(world, 10);
      await until(() => state.isReached, 8_000);
      await pay(world, 5);
      if (act === "kill" && state.isReached) await first.ended;
      if (act !== "throw") startSealer(world.appUrl());
      if (act === "stop") {
        await sleep(STANDSTILL_MS);
        signal(first.pid, "SIGCONT");
      }
      await pay(world, 5);
      await allSealed(world);
      for (const sealer of sealers) await sealer.kill();
      await checkSeals(world, sealers);
      await world.settle(5_000);
      return { wasReached: state.isReached, violations: await world.check(), world };
    } finally {
      for (const sealer of sealers) await sealer.kill();
      await link.close();
      await world.close();
    }
  };
}

/** Payments, and one reversal. */
async function pay(world: World, count: number): Promise<void> {
  const payments = Array.from({ length: count }, () => world.payment());
  for (const each of payments) world.note(each);
  await Promise.all(payments.map((each) => world.send(each)));
  const reversal = reversalOf(payments[0] ?? {});
  world.note(reversal);
  await world.send(reversal);
}

const ROWS = `
  select 'entry:' || entry_id as name from journal_entry
  union all select 'reply:' || partner_id || ':' || family || ':' || trax_id from trax
  union all select 'action:' || action_id from operator_action`;

async function allSealed(world: World): Promise<void> {
  for (const endMs = performance.now() + SEALED_WITHIN_MS; ; await sleep(200)) {
    const open = await world.query<{ name: string }>(
      `select name from (${ROWS}) r where not exists (select from seal_item s where s.item_key = r.name)`,
    );
    if (open.length === 0) return;
    if (performance.now() > endMs) {
      for (const { name } of open) world.violate("lost", null, `${name} is in no block`);
      return;
    }
  }
}

/** No gap, nothing twice, nothing but the books, everything that was told of is there, and the chain holds. */
async function checkSeals(world: World, sealers: readonly Job[]): Promise<void> {
  const gaps = await world.query<{ what: string }>(`
    select 'block ' || block_no || ' stands at place ' || place as what
      from (select block_no, row_number() over (order by block_no) as place from seal_block) b where block_no <> place
    union all
    select 'block ' || b.block_no || ' has ' || count(i.item_key) || ' leaves, not ' || b.leaf_count
      from seal_block b left join seal_item i using (block_no) group by b.block_no, b.leaf_count
    having count(i.item_key) <> b.leaf_count or max(i.leaf_no) <> b.leaf_count - 1
    union all
    select item_key || ' is sealed ' || count(*) || ' times' from seal_item group by item_key having count(*) > 1
    union all
    select item_key || ' is sealed, but not in the books' from seal_item where item_key not in (select name from (${ROWS}) r)`);
  for (const { what } of gaps) world.violate("law", null, what);
  const blocks = new Set(
    (await world.query<{ block_no: string }>(`select block_no::text from seal_block`)).map(({ block_no }) => block_no),
  );
  for (const line of sealers.flatMap(({ lines }) => lines)) {
    const [word, blockNo = ""] = line.split(" ");
    if (word === "block" && !blocks.has(blockNo)) world.violate("lost", null, `block ${blockNo} was made, and is gone`);
  }
  const db = testDb(world.appUrl(), 1);
  try {
    const { findings, blocks: count } = await transact(db, (tx) => verifySeals(tx));
    for (const { row, what } of findings) world.violate("law", null, `${row}: ${what}`);
    // Points are in the transaction of the second block, and payments go on after it: fewer than three prove nothing.
    if (Number(count) !== blocks.size || blocks.size < 3) {
      world.violate("law", null, `${count} blocks were verified, and ${blocks.size} were there before`);
    }
  } finally {
    await db.close();
  }
}
