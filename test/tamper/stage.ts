import pg from "pg";
import { listCheckpoints, type StoredCheckpoint, verifySeals, type Verdict } from "../../src/ledger";
import type { Tx } from "../../src/platform";
import { recordOperatorAction } from "../../src/store";
import { testDb, transact } from "../support/builders";
import { fillEvidence } from "../support/evidence";
import { fillWithBills, newSealKey, payBills, testSealer } from "../support/seal";
import { createTestDatabase } from "../support/services";
import type { Draw, Kind } from "./kinds";

/** What there is to tamper with. */
export interface Rows {
  readonly entries: readonly string[];
  readonly traxIds: readonly string[];
  readonly actions: readonly string[];
  readonly blocks: readonly number[];
  /** Blocks that have a checkpoint outside, ascending; the last block is one of them. */
  readonly checkpoints: readonly number[];
  readonly leavesMax: number;
  /** Blocks behind this one hold the evidence beside the books. */
  readonly blocksOfBooks: number;
}

/** A sealed ledger that is tampered with and put back, again and again. */
export interface TamperStage {
  readonly rows: Rows;
  /** Tampers, verifies and takes it back. */
  attempt(kind: Kind, draw: Draw): Promise<{ readonly expected: RegExp; readonly verdict: Verdict }>;
  /** Verifies what nobody has touched. */
  verify(): Promise<Verdict>;
  close(): Promise<void>;
}

const ROUNDS = 5;
const LEAVES_MAX = 24;

/** Seals payments and actions in several rounds, each with a checkpoint that is kept outside, and with a change of keys. */
export async function openTamperStage(paymentsPerRound: number): Promise<TamperStage> {
  const database = await createTestDatabase();
  const bills = await fillWithBills(database, ROUNDS * paymentsPerRound);
  const db = testDb(database.appUrl, 4);
  const outside: StoredCheckpoint[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    if (round % 3 === 0) await newSealKey(database);
    await payBills(db, bills.splice(0, paymentsPerRound));
    const detail = `round ${round}, with a line end\nand an é`;
    await transact(db, (tx) =>
      recordOperatorAction(tx, {
        actor: "tamper (test)",
        action: "test.round",
        object: "round",
        before: round,
        after: round + 1,
        detail,
      }),
    );
    const sealer = testSealer(db, { leavesMax: LEAVES_MAX });
    await sealer.drain();
    await sealer.checkpoint();
  }
  // Everything else that is evidence comes last; it is sealed once the books are known to be complete so far.
  await fillEvidence(database);
  const sealer = testSealer(db, { leavesMax: LEAVES_MAX });
  await sealer.drain();
  const [last] = await database.query<{ block_no: bigint }>("select max(block_no) as block_no from seal_block");
  await database.query("update seal_state set sealed_until = scanned_until");
  await sealer.drain();
  await sealer.checkpoint();
  outside.push(...(await transact(db, (tx) => listCheckpoints(tx, 1n, 1_000))));
  await db.close();
  const list = async <T>(text: string): Promise<T[]> =>
    (await database.query<{ value: T }>(text)).map(({ value }) => value);
  // As if time had passed: everything is older than what a late transaction may still bring.
  await database.query("update seal_state set sealed_until = scanned_until");
  const rows: Rows = {
    entries: await list("select entry_id as value from journal_entry"),
    traxIds: await list("select trax_id as value from trax"),
    actions: await list("select action_id as value from operator_action"),
    blocks: await list("select block_no::int as value from seal_block order by 1"),
    checkpoints: outside.map(({ blockNo }) => Number(blockNo)),
    leavesMax: LEAVES_MAX,
    blocksOfBooks: Number(last?.block_no ?? 0),
  };
  const client = new pg.Client({ connectionString: database.superuserUrl });
  await client.connect();
  const sql = async (text: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> =>
    (await client.query<Record<string, unknown>>(text, [...values])).rows;
  const tx: Tx = {
    run: async <Row extends object>(statement: { readonly text: string }, values: readonly unknown[]) =>
      (await client.query(statement.text, [...values])).rows as Row[],
  };
  const verify = (): Promise<Verdict> => verifySeals(tx, { outside });
  return {
    rows,
    verify,
    async attempt(kind, draw) {
      await sql("begin");
      try {
        await sql("set local session_replication_role = replica");
        const expected = await kind.tamper({ tx, sql, rows, draw });
        return { expected, verdict: await verify() };
      } finally {
        await sql("rollback");
      }
    },
    async close() {
      await client.end();
      await database.drop();
    },
  };
}

/** A seeded source of draws (mulberry32). */
export function drawsOf(seed: number): Draw {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}
