import type { Tx } from "../../platform";
import { plainParts, totalsParts } from "./balance-sql";
import { Bindings, type FilterSpecs, type Question } from "./filters";
import { statementOf } from "./reader";

/** One account at a moment. Whole rupiah, as digits; a balance against the account's normal side is negative. */
export interface AccountBalance {
  readonly account: string;
  readonly name: string;
  readonly normalSide: "debit" | "credit";
  readonly debits: string;
  readonly credits: string;
  readonly balance: string;
}

/** All accounts, and whether they add up. */
export interface TrialBalance {
  readonly accounts: readonly AccountBalance[];
  readonly debits: string;
  readonly credits: string;
  readonly isBalanced: boolean;
}

/** What balances can be asked for: as of an instant, of one of the two times, or up to a business date. */
export const BALANCE_FILTERS: FilterSpecs = {
  at: { kind: "instant", about: "as of this instant, inclusive; now when left out" },
  time: { kind: "choice", choices: ["happened", "recorded"], about: "which time at means; happened when left out" },
  businessTo: { kind: "date", about: "entries up to this business date" },
  account: { kind: "text", about: "one account only" },
  method: {
    kind: "choice",
    choices: ["totals", "postings"],
    about: "sums that the sealer keeps and what is newer, or every posting one by one; totals when left out",
  },
};

/**
 * Sums postings as of a moment. `happened` answers "what was true then", `recorded` "what did the books say then": they
 * differ by what was entered late. By `totals` it reads the hour that the moment is in and what is not sealed yet; by
 * `postings` every posting up to the moment, seconds on millions. An entry that was put in behind the sealer's back is only
 * in the second: `verifySeals` names it.
 */
export async function readBalances(tx: Tx, { filters }: Pick<Question, "filters">): Promise<AccountBalance[]> {
  const { account, method = "totals" } = filters;
  const [given, plain] = [new Bindings(), new Bindings()];
  const totals = method === "totals" ? await totalsParts(tx, filters, given) : null;
  const [parts, bindings] = totals === null ? [plainParts(filters, plain), plain] : [totals, given];
  const only = account === undefined ? "" : `where ${bindings.condition("a.account_code = ?", account)}`;
  const text = `
    select a.account_code, a.name, a.normal_side, coalesce(s.debits, 0)::bigint as debits,
           coalesce(s.credits, 0)::bigint as credits
      from account a
      left join (select account_code, sum(debits) as debits, sum(credits) as credits
                   from (${parts.join("\n union all ")}) parts group by account_code) s on s.account_code = a.account_code
      ${only}
     order by a.account_code`;
  const rows = await tx.run<{
    account_code: string;
    name: string;
    normal_side: "debit" | "credit";
    debits: bigint;
    credits: bigint;
  }>(statementOf("balances", text), bindings.values);
  return rows.map(({ account_code, name, normal_side, debits, credits }) => ({
    account: account_code,
    name,
    normalSide: normal_side,
    debits: String(debits),
    credits: String(credits),
    balance: String(normal_side === "debit" ? debits - credits : credits - debits),
  }));
}

/** Balances with their sums: debits equal credits, or something is wrong with the books. */
export function trialBalanceOf(accounts: readonly AccountBalance[]): TrialBalance {
  const sum = (side: "debits" | "credits"): bigint => accounts.reduce((total, each) => total + BigInt(each[side]), 0n);
  const [debits, credits] = [sum("debits"), sum("credits")];
  return { accounts, debits: String(debits), credits: String(credits), isBalanced: debits === credits };
}
