import { billKeyOf, type Outcome, outstandingItemsOf } from "../domain";
import { type Clock, type Db, deadlineIn, Fault, type IdSource, type Tx } from "../platform";
import { readBills } from "../store";
import { formatSwitchTimestamp } from "../wire";
import type { ActivePartner, Catalog } from "./catalog";
import { ClaimLost, KeyTaken, type PaymentItem, postPayments, type PostingDeps } from "./post-payments";
import { reinstatePayment } from "./reinstate";
import { type HandReversal, reverseByHand } from "./post-reversal";

/** A payment that people post or take back, as a settlement line or our own books tell it. Whole rupiah. */
export interface AdviceRequest {
  readonly partnerId: number;
  readonly traxId: string;
  readonly productCode: string;
  readonly billNumber: string;
  readonly amount: bigint;
  /** Null: the file has none, so that of the bill. */
  readonly feeAmount: bigint | null;
}

/** What became of an advice. */
export interface HandAdvice {
  readonly outcome: Outcome;
  /** The payment had come in the meantime; nothing was posted. */
  readonly isReplay: boolean;
}

/** Posts and reverses for people, in their transaction, through the flows and keys of the switch's own messages. */
export interface HandDesk {
  /**
   * Posts a payment that the switch has settled and that is missing here. The bill is read and judged as for a message of
   * the switch, and the reply is stored under the traxId, so that the payment's own message, should it still come, is a
   * repeat of this one.
   *
   * @throws Fault `advice_declined`: nothing was stored, the traxId is not consumed; `no_partner`
   */
  advise(tx: Tx, request: AdviceRequest): Promise<HandAdvice>;
  /** @throws Fault `nothing_to_reverse` */
  reverse(tx: Tx, request: AdviceRequest): Promise<HandReversal>;
  /**
   * Takes the standing reversal of a payment back; see `reinstatePayment`.
   *
   * @returns the correction's identifier
   */
  reinstate(tx: Tx, paymentEntryId: string, today: string): Promise<string>;
  /** Whether a fault means: roll back, and do all of it again. */
  isPassing(fault: unknown): boolean;
}

/** What the desk works with. */
export interface HandDeskDeps {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** The terminal and channel under which people's payments stand in the books. */
const BY_HAND = { channel: "0000", terminal: "BYHAND  " } as const;
const DEADLINE_MS = 30_000;

/** Opens the desk. */
export function openHandDesk(deps: HandDeskDeps): HandDesk {
  return {
    advise: (tx, request) => advise(deps, tx, request),
    async reverse(tx, request) {
      const { transactionTypes } = partnerOf(deps, request).dialect;
      const type = transactionTypes.reversal ?? transactionTypes.payment;
      return reverseByHand(within(deps, tx), tx, itemOf(deps, request, type, ""));
    },
    reinstate: (tx, paymentEntryId, today) =>
      reinstatePayment({ clock: deps.clock, ids: deps.ids, today }, tx, paymentEntryId),
    isPassing: (fault) => fault instanceof KeyTaken || fault instanceof ClaimLost,
  };
}

/** See `HandDesk.advise`. */
async function advise(deps: HandDeskDeps, tx: Tx, request: AdviceRequest): Promise<HandAdvice> {
  const billKey = billKeyOf(request.productCode, request.billNumber);
  const bill = (await readBills(tx, [billKey])).get(billKey) ?? null;
  const known = { ...request, feeAmount: request.feeAmount ?? bill?.feeAmount ?? 0n };
  const item = itemOf(deps, known, partnerOf(deps, known).dialect.transactionTypes.payment, request.billNumber);
  const { product } = item;
  let { bit61 } = item.message;
  if (product !== null && bill !== null) {
    const items = outstandingItemsOf(bill).slice(0, product.rules.itemsMax);
    const { amount, feeAmount } = item.message;
    bit61 = product.layout.encode(product.valuesOf(bill, { items, amount, feeAmount }));
  }
  const [answer] = await postPayments(
    within(deps, tx),
    [{ ...item, message: { ...item.message, bit61 } }],
    deadlineIn(deps.clock, DEADLINE_MS),
  );
  if (answer === undefined || answer.outcome !== "APPROVED") {
    const differing = answer?.differing.length ? `: ${answer.differing.join(", ")} differ` : "";
    throw new Fault(
      "advice_declined",
      `payment ${request.traxId} cannot be posted, it is ${answer?.outcome}${differing}; nothing was stored`,
    );
  }
  return { outcome: answer.outcome, isReplay: answer.isReplay };
}

/** The flows open a transaction of their own; here they take part in one that is open. */
function within({ clock, ids }: HandDeskDeps, tx: Tx): PostingDeps {
  const db: Pick<Db, "withTransaction"> = { withTransaction: (_deadline, work) => work(tx) };
  return { db: db as Db, clock, ids, reach: () => {} };
}

/** What only a message can prove is not asked for: an echo of a quote. And what is not accepted is not put to suspense. */
function partnerOf({ catalog }: HandDeskDeps, { partnerId }: AdviceRequest): ActivePartner {
  const partner = [...catalog.partners.values()].find((each) => each.partnerId === partnerId);
  if (partner === undefined) throw new Fault("no_partner", `there is no active partner ${partnerId}`);
  return { ...partner, dialect: { ...partner.dialect, bit61Check: "ignore", mustAccept: false } };
}

function itemOf(deps: HandDeskDeps, request: AdviceRequest, transactionType: string, bit61: string): PaymentItem {
  const partner = partnerOf(deps, request);
  const { traxId, productCode, billNumber, amount, feeAmount } = request;
  const fee = feeAmount ?? 0n;
  const isAllowed = partner.productCodes.includes(productCode);
  return {
    partner,
    product: isAllowed ? (deps.catalog.products.get(productCode) ?? null) : null,
    message: {
      ...{ userName: partner.userName, productCode, ...BY_HAND, transactionType, billNumber, traxId, bit61 },
      ...{ timeStamp: formatSwitchTimestamp(deps.clock.nowMicros()), signature: "", terminalField: "terminal" },
      ...{ terminalName: "", terminalLocation: "", addInfo1: "", addInfo2: "", addInfo3: "", unknownFields: [] },
      ...{ amountText: amount.toString(), feeAmountText: fee.toString(), amount, feeAmount: fee },
    },
    receivedAtMs: deps.clock.nowMs(),
    deadline: deadlineIn(deps.clock, DEADLINE_MS),
    isFresh: true,
  };
}
