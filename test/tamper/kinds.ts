import { createHash, randomUUID } from "node:crypto";
import {
  headerText,
  keyIdOf,
  leafHash,
  leafOf,
  merkleRoot,
  parseHeader,
  privateKeyOf,
  publicBytesOf,
  splitHashes,
} from "../../src/domain";
import {
  addSealKey,
  findSealedItems,
  newSealPace,
  readSealedRows,
  readSigningKey,
  rowName,
  sealPass,
} from "../../src/ledger";
import type { Tx } from "../../src/platform";
import { EVIDENCE_EDITS } from "../support/evidence";
import { SECRETS } from "../support/seal";
import type { Rows } from "./stage";

/** A draw from a seeded source: from 0 and below `below`. */
export type Draw = (below: number) => number;

/** What a way of tampering works on: a transaction of a superuser in which no trigger runs. */
export interface Scene {
  readonly tx: Tx;
  readonly sql: (text: string, values?: readonly unknown[]) => Promise<Record<string, unknown>[]>;
  readonly rows: Rows;
  readonly draw: Draw;
}

/** One way of tampering. It does it, and says what the first finding has to name. */
export interface Kind {
  readonly name: string;
  readonly tamper: (scene: Scene) => Promise<RegExp>;
}

const pick = <T>(from: readonly T[], draw: Draw): T => from[draw(from.length)] as T;
const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
const entryNamed = (id: string): RegExp => new RegExp(`^journal_entry ${escaped(id)}( |$)`);
const traxNamed = (traxId: string): RegExp => new RegExp(`^trax \\(\\d+, ${escaped(traxId)}, payment\\)$`);
const blockNamed = (blockNo: bigint | number): RegExp => new RegExp(`^seal_block ${blockNo}$`);

const EVIDENCE_TABLES = [
  ...["exception", "exception_event", "exception_handling", "exception_proposal", "exception_due_rule"],
  ...["settlement_profile", "settlement_file", "settlement_line", "reconciliation_run", "reconciliation_finding"],
  ...["settlement_posting", "settlement_line_posting", "receivable_clearing", "day_close"],
  ...["day_reopening", "settlement_expectation", "keyed_request"],
  ...["audit_read", "audit_token", "attempt", "callback_attempt", "forgotten_reply"],
  ...["partner_credential", "merchant_credential"],
];

/** Every way, each naming what has to be found. */
export const KINDS: readonly Kind[] = [
  {
    name: "an entry's amount is edited",
    async tamper({ sql, rows, draw }) {
      const id = pick(rows.entries, draw);
      await sql("update journal_entry set amount = amount + $2 where entry_id = $1", [id, draw(1_000) + 1]);
      return entryNamed(id);
    },
  },
  {
    name: "both postings of an entry are edited, and still balance",
    async tamper({ sql, rows, draw }) {
      const id = pick(rows.entries, draw);
      await sql("update posting set amount = amount + 1 where entry_id = $1 and line_no in (1, 2)", [id]);
      return entryNamed(id);
    },
  },
  {
    name: "a posting is moved to another account",
    async tamper({ sql, rows, draw }) {
      const id = pick(rows.entries, draw);
      await sql("update posting set account_code = 'suspense' where entry_id = $1 and line_no = $2", [id, draw(2) + 1]);
      return entryNamed(id);
    },
  },
  {
    name: "a stored reply is edited by one character",
    async tamper({ sql, rows, draw }) {
      const traxId = pick(rows.traxIds, draw);
      const [row] = await sql("select reply_body from trax where trax_id = $1", [traxId]);
      const body = String(row?.["reply_body"]);
      const at = draw(body.length);
      const other = body[at] === "x" ? "y" : "x";
      await sql("update trax set reply_body = $2 where trax_id = $1", [
        traxId,
        body.slice(0, at) + other + body.slice(at + 1),
      ]);
      return traxNamed(traxId);
    },
  },
  {
    name: "a row of the registry is edited",
    async tamper({ sql, rows, draw }) {
      const traxId = pick(rows.traxIds, draw);
      const change = pick(
        [
          "sys_code = '000000000000'",
          "amount = amount + 1",
          "result_code = '99'",
          "bill_number = bill_number || '0'",
          "received_at = received_at + interval '1 microsecond'",
          "business_date = business_date - 1",
          "fingerprint = set_byte(fingerprint, 7, (get_byte(fingerprint, 7) + 1) % 256)",
        ],
        draw,
      );
      await sql(`update trax set ${change} where trax_id = $1`, [traxId]);
      return traxNamed(traxId);
    },
  },
  {
    name: "an operator action is edited",
    async tamper({ sql, rows, draw }) {
      const id = pick(rows.actions, draw);
      const change = pick(
        ["actor = 'nobody'", "object = object || '!'", "detail = 'nothing'", "before_hash = null"],
        draw,
      );
      await sql(`update operator_action set ${change} where action_id = $1`, [id]);
      return new RegExp(`^operator_action ${id}$`);
    },
  },
  {
    name: "a total is edited",
    async tamper({ sql, draw }) {
      const rows = await sql("select account_code from posting_total order by ctid");
      const account = rows[draw(rows.length)]?.["account_code"];
      await sql("update posting_total set credits = credits + $2 where account_code = $1", [account, draw(1_000) + 1]);
      return new RegExp(`^posting_total .*, ${String(account)}\\)$`);
    },
  },
  {
    name: "an entry is deleted with its postings",
    async tamper({ sql, rows, draw }) {
      const id = pick(rows.entries, draw);
      await sql("delete from posting where entry_id = $1", [id]);
      await sql("delete from journal_entry where entry_id = $1", [id]);
      return entryNamed(id);
    },
  },
  {
    name: "a row of the registry is deleted",
    async tamper({ sql, rows, draw }) {
      const traxId = pick(rows.traxIds, draw);
      await sql("delete from trax where trax_id = $1", [traxId]);
      return traxNamed(traxId);
    },
  },
  {
    name: "an entry is put in the middle, with an earlier time",
    async tamper({ sql, rows, draw }) {
      const like = pick(rows.entries, draw);
      const id = randomUUID();
      await sql(
        `insert into journal_entry select $2::uuid, bill_key, business_date, kind, partner_id, trax_id || 'X', product_code,
                bill_number, amount, fee_amount, channel, reverses_entry_id, happened_at, recorded_at + interval '1 microsecond'
           from journal_entry where entry_id = $1`,
        [like, id],
      );
      await sql(
        `insert into posting select $2::uuid, line_no, bill_key, business_date, account_code, side, amount
           from posting where entry_id = $1`,
        [like, id],
      );
      return entryNamed(id);
    },
  },
  {
    name: "an entry is put in that says that it will be recorded next year",
    async tamper({ sql, rows, draw }) {
      const like = pick(rows.entries, draw);
      const id = randomUUID();
      await sql(
        `insert into journal_entry select $2::uuid, bill_key, business_date, kind, partner_id, trax_id || 'X', product_code,
                bill_number, amount, fee_amount, channel, reverses_entry_id, happened_at, now() + interval '1 year'
           from journal_entry where entry_id = $1`,
        [like, id],
      );
      await sql(
        `insert into posting select $2::uuid, line_no, bill_key, business_date, account_code, side, amount
           from posting where entry_id = $1`,
        [like, id],
      );
      return entryNamed(id);
    },
  },
  {
    name: "a row is put in, and a place in a block that is not there",
    async tamper({ sql, draw }) {
      const id = randomUUID();
      await sql(
        "insert into operator_action (action_id, actor, action, object, recorded_at) values ($1, 'x', 'x', 'x', now() - interval '1 day')",
        [id],
      );
      await sql(
        "insert into seal_item (block_no, leaf_no, item_key, salt) values ($1, 0, 'action:' || $2, decode(repeat('00', 32), 'hex'))",
        [1_000_000 + draw(1_000), id],
      );
      return new RegExp(`^operator_action ${id}$`);
    },
  },
  {
    name: "two leaves change places",
    async tamper({ sql, rows, draw }) {
      const blockNo = pick(rows.blocks, draw);
      const items = await sql("select leaf_no, item_key from seal_item where block_no = $1 order by leaf_no", [
        blockNo,
      ]);
      const a = draw(items.length - 1);
      const b = a + 1 + draw(items.length - a - 1);
      const first = String(items[b]?.["item_key"]);
      await sql("update seal_item set leaf_no = leaf_no + 100000 where block_no = $1 and leaf_no in ($2, $3)", [
        blockNo,
        a,
        b,
      ]);
      await sql("update seal_item set leaf_no = $2::int where block_no = $1 and leaf_no = $3::int + 100000", [
        blockNo,
        b,
        a,
      ]);
      await sql("update seal_item set leaf_no = $2::int where block_no = $1 and leaf_no = $3::int + 100000", [
        blockNo,
        a,
        b,
      ]);
      // What stands in the first of the two places is now the row that was in the second.
      return new RegExp(`^${escaped(rowName(first))}$`);
    },
  },
  {
    name: "the tail is cut off: blocks, items and rows",
    async tamper({ sql, rows, draw }) {
      const keep = draw(rows.blocksOfBooks - 1) + 1;
      await sql("select set_config('seal.keep', $1, true)", [String(keep)]);
      const lost = "select item_key from seal_item where block_no > current_setting('seal.keep')::bigint";
      await sql(`delete from posting where 'entry:' || entry_id in (${lost})`);
      await sql(`delete from journal_entry where 'entry:' || entry_id in (${lost})`);
      await sql(`delete from trax where 'reply:' || partner_id || ':' || family || ':' || trax_id in (${lost})`);
      await sql(`delete from operator_action where 'action:' || action_id in (${lost})`);
      for (const table of EVIDENCE_TABLES) await sql(`delete from ${table}`);
      for (const table of ["seal_checkpoint", "seal_item", "seal_block"]) {
        await sql(`delete from ${table} where block_no > current_setting('seal.keep')::bigint`);
      }
      const first = rows.checkpoints.find((blockNo) => blockNo > keep);
      return new RegExp(`^outside checkpoint of block ${first}$`);
    },
  },
  {
    name: "a row is edited and the whole chain written anew under another key",
    async tamper({ tx, sql, rows, draw }) {
      await sql("update journal_entry set amount = amount + 1 where entry_id = $1", [pick(rows.entries, draw)]);
      for (const table of ["seal_checkpoint", "seal_item", "seal_block", "seal_key", "seal_evidence"]) {
        await sql(`delete from ${table}`);
      }
      await sql(
        "update seal_state set sealed_until = '-infinity', scanned_until = '-infinity', pending_at = null, pending_xid = null, seen_at = null",
      );
      const seed = createHash("sha256")
        .update(`forged ${draw(1_000_000)}`)
        .digest();
      await addSealKey(tx, SECRETS, seed, new Date().toISOString());
      const key = await readSigningKey(tx, SECRETS);
      if (key === null || key.keyId !== keyIdOf(publicBytesOf(privateKeyOf(seed))))
        throw new Error("the forged key is not there");
      const pace = newSealPace();
      for (let sealed = 1; sealed > 0;) {
        const done = await sealPass(tx, {
          key,
          pace,
          leavesMax: rows.leavesMax,
          blocksMax: 1,
          isQuick: true,
          newSalt: () => seed,
        });
        sealed = done.kind === "done" ? done.blocks.length : 0;
      }
      return new RegExp(`^outside checkpoint of block ${rows.checkpoints[0]}$`);
    },
  },
  {
    name: "a row is edited together with its hash",
    async tamper({ tx, sql, rows, draw }) {
      const id = pick(rows.entries, draw);
      await sql("update journal_entry set fee_amount = fee_amount + 1 where entry_id = $1", [id]);
      return blockNamed(await rehash(tx, sql, `entry:${id}`));
    },
  },
  {
    name: "a row is edited, and its block and all behind it hashed anew without the key",
    async tamper({ tx, sql, rows, draw }) {
      const id = pick(rows.entries, draw);
      await sql("update journal_entry set channel = 'XXXX' where entry_id = $1", [id]);
      const first = await rehash(tx, sql, `entry:${id}`);
      let previous: string | null = null;
      for (const block of await sql(
        "select block_no, header, leaf_hashes from seal_block where block_no >= $1 order by 1",
        [first],
      )) {
        const header = parseHeader(String(block["header"]));
        if (header === null) throw new Error("no header");
        const root = merkleRoot(splitHashes(block["leaf_hashes"] as Buffer)).toString("hex");
        const text = headerText({ ...header, root, previous: previous ?? header.previous });
        previous = createHash("sha256").update(text).digest("hex");
        await sql("update seal_block set header = $2, block_hash = decode($3, 'hex') where block_no = $1", [
          block["block_no"],
          text,
          previous,
        ]);
      }
      return blockNamed(first);
    },
  },
  ...EVIDENCE_EDITS.map(({ name, sql: text, row }): Kind => ({
    name,
    async tamper({ sql }) {
      await sql(text);
      return row;
    },
  })),
];

/** Puts the row's new hash into the list of its block. @returns the block */
async function rehash(tx: Tx, sql: Scene["sql"], itemKey: string): Promise<bigint> {
  const [item] = await findSealedItems(tx, [itemKey]);
  const [row] = item === undefined ? [] : ((await readSealedRows(tx, [item])).get(itemKey) ?? []);
  if (item === undefined || row === undefined) throw new Error(`${itemKey} is not sealed`);
  const hash = leafHash(leafOf(row, item.salt).text);
  await sql("update seal_block set leaf_hashes = overlay(leaf_hashes placing $2 from $3) where block_no = $1", [
    item.blockNo,
    hash,
    item.leafNo * 32 + 1,
  ]);
  return item.blockNo;
}
