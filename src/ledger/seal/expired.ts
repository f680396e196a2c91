import type { Statement, Tx } from "../../platform";
import { evidenceKindOf } from "./evidence-rows";

const FIND_MONTH: Statement = {
  name: "ledger_seal_find_month",
  text: `
    select to_regclass('public.attempt_y' || replace($1, '-', 'm')) is null
           and ($1 || '-01')::date < date_trunc('month', (now() at time zone 'Asia/Jakarta')::date) - interval '3 months' as is_expired`,
};

/** Whether a minute of attempts is of a month that was dropped as a whole, and was old enough for that. */
export async function isExpired(tx: Tx, itemKey: string): Promise<boolean> {
  const month = /^[a-z-]+:([0-9]{4}-(?:0[1-9]|1[0-2])):/.exec(itemKey)?.[1];
  if (month === undefined || evidenceKindOf(itemKey)?.mayExpire !== true) return false;
  const [row] = await tx.run<{ is_expired: boolean }>(FIND_MONTH, [month]);
  return row?.is_expired ?? false;
}
