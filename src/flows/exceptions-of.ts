import type { Bill, PaymentDecision } from "../domain";
import type { NewException } from "../store";

/** Of a payment, what an exception about it names. */
interface Collected {
  readonly partner: { readonly partnerId: number };
  readonly message: { readonly traxId: string; readonly amount: bigint };
}

/** What people have to look at after a payment was decided; null when all is as it should be. */
export function exceptionOf(
  item: Collected,
  billKey: string,
  bill: Bill | null,
  decision: PaymentDecision,
): NewException | null {
  const { partner, message } = item;
  const lastPayment = bill?.lastPayment ?? null;
  const about = { billKey, partnerId: partner.partnerId, traxId: message.traxId, amount: message.amount };
  if (decision.kind === "suspend") {
    const detail = `taken although it would be declined as ${decision.wouldBe}`;
    return { ...about, kind: "suspense", otherTraxId: null, detail };
  }
  if (decision.kind === "decline" && decision.outcome === "ALREADY_PAID") {
    const first = lastPayment === null ? "an earlier payment" : lastPayment.traxId;
    const detail = `the bill was paid by ${first} before: the customer may have paid twice`;
    return { ...about, kind: "double-collection", otherTraxId: lastPayment?.traxId ?? null, detail };
  }
  if (decision.kind === "post" && decision.isLookAlike) {
    const detail = "the same amount on the same number shortly before: perhaps one payment under two traxIds";
    return { ...about, kind: "look-alike", otherTraxId: lastPayment?.traxId ?? null, detail };
  }
  return null;
}
