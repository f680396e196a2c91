import type { Statement, Tx } from "../platform";

/** One account with the sums of its postings, whole rupiah. */
export interface AccountTotal {
  readonly accountCode: string;
  readonly name: string;
  readonly debits: bigint;
  readonly credits: bigint;
}

const TRIAL_BALANCE: Statement = {
  name: "ledger_trial_balance",
  text: `
    select a.account_code, a.name,
           coalesce(sum(p.amount) filter (where p.side = 'debit'), 0)::bigint  as debits,
           coalesce(sum(p.amount) filter (where p.side = 'credit'), 0)::bigint as credits
      from account a
      left join posting p on p.account_code = a.account_code
     group by a.account_code, a.name
     order by a.account_code`,
};

/** Sums of every account over all postings. Reads the whole journal: for operators and tests, not for requests. */
export async function readTrialBalance(tx: Tx): Promise<AccountTotal[]> {
  const rows = await tx.run<{ account_code: string; name: string; debits: bigint; credits: bigint }>(TRIAL_BALANCE, []);
  return rows.map((row) => ({
    accountCode: row.account_code,
    name: row.name,
    debits: row.debits,
    credits: row.credits,
  }));
}

const ENSURE_PARTITIONS: Statement = {
  name: "ledger_ensure_month_partitions",
  isWrite: true,
  text: `select ensure_month_partitions($1::int) as created`,
};

/** Creates the monthly partitions from this month up to `monthsAhead` months ahead; returns how many were missing. */
export async function ensureMonthPartitions(tx: Tx, monthsAhead: number): Promise<number> {
  const [row] = await tx.run<{ created: number }>(ENSURE_PARTITIONS, [monthsAhead]);
  return row?.created ?? 0;
}
