import { appliedBy, type Bill, billStateAt, outstandingOf, withPayment } from "../domain";
import { appendClearings, appendOperatorEntry, readReceivables, readStandingReversal } from "../ledger";
import { type Clock, Fault, type IdSource, type Tx } from "../platform";
import { claimBills, readBills } from "../store";
import { tellOfReinstatement } from "./merchant-events";
import { ClaimLost } from "./post-payments";

/** What a reversal is taken back with. */
export interface ReinstateDeps {
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Business date that the entry is booked on, `YYYY-MM-DD`. */
  readonly today: string;
}

/**
 * Takes the reversal of a payment back because two people decided so, in their transaction: a correction mirrors the
 * reversal's entry, the payment is due again and is applied to its bill again.
 *
 * @param paymentEntryId the payment's own entry
 * @returns the identifier of the correction
 * @throws Fault `not_possible`: no reversal stands, or its bill was paid or cancelled meanwhile
 * @throws ClaimLost, ReceivableTaken roll back and call again
 */
export async function reinstatePayment(deps: ReinstateDeps, tx: Tx, paymentEntryId: string): Promise<string> {
  const reversal = await readStandingReversal(tx, paymentEntryId);
  if (reversal === null) throw new Fault("not_possible", "no reversal of this payment stands");
  const { billKey, partnerId, traxId, productCode, billNumber, amount, postings } = reversal;
  const applied = appliedBy(postings, "debit");
  const bill = (await readBills(tx, [billKey])).get(billKey) ?? null;
  const nowMs = deps.clock.nowMs();
  if (bill !== null && applied > 0n) await payAgain(tx, bill, applied, nowMs);
  const entryId = deps.ids.entryId(nowMs);
  await appendOperatorEntry(tx, {
    entryId,
    kind: "correction",
    billKey,
    businessDate: deps.today,
    partnerId,
    reference: traxId,
    productCode,
    billNumber,
    amount,
    happenedAtMs: nowMs,
    postings: postings.map((line) => ({ ...line, side: line.side === "debit" ? "credit" : "debit" })),
    reversesEntryId: reversal.entryId,
  });
  const receivables = await readReceivables(tx, [paymentEntryId]);
  const opened = receivables.get(paymentEntryId)?.opened ?? 0n;
  const by = { entryId, businessDate: deps.today };
  await appendClearings(tx, by, receivables, [{ entryId: paymentEntryId, kind: "reversed", amount: -opened }]);
  if (bill?.merchantId) {
    await tellOfReinstatement(tx, deps.ids, {
      bill: withPayment(bill, applied),
      merchantId: bill.merchantId,
      entryId: paymentEntryId,
      partnerId,
      traxId,
      amount,
      channel: reversal.channel,
      atMs: nowMs,
    });
  }
  return entryId;
}

async function payAgain(tx: Tx, bill: Bill, applied: bigint, nowMs: number): Promise<void> {
  const { billKey, billNumber, version } = bill;
  if (billStateAt({ ...bill, dueAtMs: null }, nowMs) === "CANCELLED") {
    throw new Fault("not_possible", `bill ${billNumber} was cancelled meanwhile`);
  }
  if (bill.totalAmount > 0n && applied > outstandingOf(bill)) {
    throw new Fault(
      "not_possible",
      `bill ${billNumber} was paid meanwhile: ${outstandingOf(bill)} rupiah are left of it`,
    );
  }
  const paid = withPayment(bill, applied);
  const claim = {
    billKey,
    expectedVersion: version,
    version: paid.version,
    paidAmount: paid.paidAmount,
    lastPayment: paid.lastPayment ?? null,
  };
  if (!(await claimBills(tx, [claim])).has(billKey)) throw new ClaimLost();
}
