import { createHash, randomUUID } from "node:crypto";
import { Fault, type Statement, type Tx } from "../../platform";
import type { Actor } from "../exceptions/history";
import { insertProposal } from "../exceptions/proposals";

/** Money that the bank has credited, as its statement says. */
export interface BankCredit {
  /** userName of the partner who paid; null: there is only one. */
  readonly partner: string | null;
  /** Whole rupiah. */
  readonly amount: bigint;
  readonly creditedOn: string;
  /** The bank's own; booked once for a partner. */
  readonly reference: string;
  readonly reason: string;
}

const FIND_PARTNERS: Statement = {
  name: "ops_find_partners",
  text: `select partner_id, user_name from partner where $1::text is null or user_name = $1 order by partner_id limit 2`,
};
const IS_BOOKED: Statement = {
  name: "ops_is_bank_credit_booked",
  text: `select from settlement_posting
           where kind = 'bank-credit' and partner_id = $1::int and reference = $2 and undone_by is null`,
};

/**
 * Proposes a bank credit; it is booked when somebody else approves.
 *
 * @throws Fault `no_partner`, `bank_credit`: booked already, or not an amount; `proposed`: this reference waits already
 */
export async function proposeBankCredit(
  tx: Tx,
  actor: Actor,
  credit: BankCredit,
): Promise<{ readonly proposalId: string; readonly batchId: string }> {
  const { amount, creditedOn, reference, reason } = credit;
  if (amount <= 0n || amount > 999_999_999_999_999n) {
    throw new Fault("bank_credit", "the amount must be from 1 to 999999999999999 rupiah");
  }
  if (!/^[ -~]{1,64}$/.test(reference)) {
    throw new Fault("bank_credit", "the reference must be 1 to 64 printable characters");
  }
  const [partner, other] = await tx.run<{ partner_id: number; user_name: string }>(FIND_PARTNERS, [credit.partner]);
  if (partner === undefined) throw new Fault("no_partner", `there is no partner ${credit.partner ?? ""}`);
  if (other !== undefined)
    throw new Fault("no_partner", "there are several partners: say whose money it is", { remedy: "name-the-partner" });
  if ((await tx.run(IS_BOOKED, [partner.partner_id, reference])).length > 0) {
    throw new Fault("bank_credit", `bank credit ${reference} is booked already`);
  }
  const batchId = randomUUID();
  const facts = { partnerId: partner.partner_id, partner: partner.user_name, reference, creditedOn };
  const proposalId = await insertProposal(tx, actor, {
    ...{ batchId, itemKind: "bank-credit", itemId: itemIdOf(partner.partner_id, reference), action: "bank-credit" },
    ...{ account: null, targetEntryId: null, amount, facts, reason },
  });
  return { proposalId, batchId };
}

/** The same for the same reference, so that one proposal about it waits at a time. */
function itemIdOf(partnerId: number, reference: string): string {
  const hex = createHash("sha256").update(`bank-credit ${partnerId} ${reference}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}
