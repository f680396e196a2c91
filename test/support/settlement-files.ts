import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LedgerPayment, SettlementLine } from "../../src/domain";
import { importSettlementFile, type ImportOutcome, type ImportRequest, inSession, saveProfile } from "../../src/ops";
import { PARTNER } from "./builders";
import type { TestDatabase } from "./services";

/** A profile that tells everything a line can hold. */
export const FULL_PROFILE = {
  partner: PARTNER.userName,
  format: { kind: "delimited", delimiter: "," },
  header: "columns",
  columns: {
    ...{ traxId: "trax", productCode: "product", billNumber: { at: "bill" }, amount: "amount", feeAmount: "fee" },
    paidAt: { at: "paid", form: "YYYY-MM-DD HH:mm:ss" },
    businessDate: { at: "day", form: "YYYY-MM-DD" },
    status: { at: "status", paid: ["paid"], reversed: ["reversed"], failed: ["failed"] },
  },
} as const;

export const FULL_HEADER = "trax,product,bill,amount,fee,paid,day,status";

/** A line of that profile. */
export function fullLine(line: Omit<SettlementLine, "fileId" | "lineNo">): string {
  const paid = line.paidAtMs === null ? "" : new Date(line.paidAtMs + 7 * 3_600_000).toISOString().slice(0, 19);
  return [
    ...[line.traxId ?? "", line.productCode ?? "", line.billNumber ?? "", line.amount, line.feeAmount ?? ""],
    ...[paid.replace("T", " "), line.businessDate, line.status],
  ].join();
}

/** Puts payments into the registry and the journal as if they had been posted, reversals beside. */
export async function bookPayments(database: TestDatabase, payments: readonly LedgerPayment[]): Promise<void> {
  // Triggers would ask for postings, which reconciliation does not look at.
  await database.query("set session_replication_role = replica");
  const values = [
    payments.map(({ traxId }) => traxId),
    payments.map(({ productCode }) => productCode),
    payments.map(({ billNumber }) => billNumber),
    payments.map(({ amount }) => amount),
    payments.map(({ feeAmount }) => feeAmount),
    payments.map(({ businessDate }) => businessDate),
    payments.map(({ happenedAtMs }) => happenedAtMs),
    payments.map(({ entryId }) => entryId),
    payments.map(({ state }) => state),
  ];
  const given = `unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::date[], $7::float8[], $8::uuid[],
    $9::text[]) as p(trax_id, product_code, bill_number, amount, fee_amount, business_date, at_ms, entry_id, state)`;
  await database.query(
    `insert into trax (partner_id, trax_id, family, fingerprint, product_code, bill_number, bill_key, amount, fee_amount,
                       channel, outcome, result_code, sys_code, reply_body, entry_id, business_date, received_at)
     select 1, trax_id, 'payment', '\\x01'::bytea || sha256(convert_to(trax_id, 'UTF8')), product_code, bill_number,
            product_code || ':' || bill_number, amount, fee_amount, '6017',
            case when entry_id is null then 'EXPIRED' else 'APPROVED' end, '00', '1', '{}', entry_id, business_date,
            to_timestamp(at_ms / 1000.0) from ${given}`,
    values,
  );
  for (const isReversal of [false, true]) {
    await database.query(
      `insert into journal_entry (entry_id, bill_key, business_date, kind, partner_id, trax_id, product_code, bill_number,
                                  amount, fee_amount, channel, happened_at, reverses_entry_id)
       select ${isReversal ? "gen_random_uuid()" : "entry_id"}, product_code || ':' || bill_number, business_date,
              '${isReversal ? "reversal" : "payment"}', 1, trax_id, product_code, bill_number, amount, fee_amount, '6017',
              to_timestamp(at_ms / 1000.0), ${isReversal ? "entry_id" : "null"}
         from ${given} where entry_id is not null and (state = 'reversed' or not ${isReversal})`,
      values,
    );
  }
  await database.query(
    `insert into trax (partner_id, trax_id, family, fingerprint, product_code, bill_number, bill_key, amount, fee_amount,
                       channel, outcome, result_code, sys_code, reply_body, entry_id, business_date, received_at)
     select e.partner_id, e.trax_id, 'reversal', t.fingerprint, e.product_code, e.bill_number, e.bill_key, e.amount,
            e.fee_amount, e.channel, 'APPROVED', '00', '1', '{}', e.entry_id, e.business_date, e.happened_at
       from journal_entry e
       join trax t on t.partner_id = e.partner_id and t.trax_id = e.trax_id and t.family = 'payment'
      where e.kind = 'reversal' and e.trax_id = any($1::text[])`,
    [payments.map(({ traxId }) => traxId)],
  );
  await database.query(
    `insert into receivable_clearing (entry_id, version, bill_key, entry_date, partner_id, kind, amount, opened, settled,
                                      reversed, written_off, accepted, recovered, excess, by_entry_id, by_entry_date)
     select p.entry_id, 1, p.bill_key, p.business_date, p.partner_id, 'reversed', p.amount + p.fee_amount,
            p.amount + p.fee_amount, 0, p.amount + p.fee_amount, 0, 0, 0, 0, r.entry_id, r.business_date
       from journal_entry r join journal_entry p on p.entry_id = r.reverses_entry_id
      where r.trax_id = any($1::text[]) and r.kind = 'reversal'`,
    [payments.map(({ traxId }) => traxId)],
  );
  await database.query("set session_replication_role = origin");
}

/** Files in a directory of their own, imported as the command line would. */
export function settlementDesk(database: TestDatabase) {
  const dir = mkdtempSync(join(tmpdir(), "biller-settlement-"));
  return {
    dir,
    write(name: string, content: string | Buffer): string {
      writeFileSync(join(dir, name), content);
      return join(dir, name);
    },
    async saveProfile(code: string, definition: Readonly<Record<string, unknown>>): Promise<number> {
      const url = database.appUrl;
      const saved = await inSession({ url, isolation: "read committed" }, (session) =>
        saveProfile(session, code, definition),
      );
      return saved.version;
    },
    import(name: string, content: string | Buffer, changes: Partial<ImportRequest> = {}): Promise<ImportOutcome> {
      return importSettlementFile({
        ...{ databaseUrl: database.appUrl, profileCode: "full", path: this.write(name, content), date: null },
        ...{ mayReplace: false, acceptsTotals: false, by: "test (test)" },
        ...changes,
      });
    },
    close: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** The postings of entries that have none: the whole amount and the fee are owed by the switch. */
export async function bookPostings(database: Pick<TestDatabase, "query">): Promise<void> {
  await database.query("set session_replication_role = replica");
  await database.query(
    `insert into posting (entry_id, line_no, bill_key, business_date, account_code, side, amount)
     select e.entry_id, l.line_no, e.bill_key, e.business_date, l.account,
            case when (e.kind = 'payment') = (l.line_no = 1) then 'debit' else 'credit' end, l.amount
       from journal_entry e
      cross join lateral (values (1, 'due-from-switch', e.amount + e.fee_amount), (2, 'bill-collections', e.amount),
                                 (3, 'fee-earned', e.fee_amount)) l(line_no, account, amount)
      where l.amount > 0 and e.kind in ('payment', 'reversal')
        and not exists (select from posting p where p.entry_id = e.entry_id and p.business_date = e.business_date)`,
  );
  await database.query("set session_replication_role = origin");
}
