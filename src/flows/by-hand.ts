import { billKeyOf, decidePayment, type Outcome, type PaymentDecision, type ProductRules } from "../domain";
import { appendTrax, readPaymentKeys, type StoredTrax } from "../ledger";
import { type Clock, Fault, type IdSource, type Tx } from "../platform";
import { claimBills, openExceptions, readBills } from "../store";
import type { ActivePartner, Catalog } from "./catalog";
import { exceptionOf } from "./exceptions-of";
import { manualRow } from "./manual-row";
import { tellOfPayments } from "./merchant-events";
import { ClaimLost, claimOf, KeyTaken, merchantEventOf } from "./post-payments";
import { reinstatePayment } from "./reinstate";
import { type HandReversal, reverseByHand } from "./post-reversal";
import type { Reach } from "./posting-point";
import { entryOf, type PostingInstruction, recordOf } from "./trax-record";

/** A payment that operators post or take back, as a settlement line or our own books tell it. Whole rupiah. */
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

/** Posts and reverses for operators, in their transaction, under keys of families of their own. */
export interface HandDesk {
  /**
   * Posts a payment that the switch has settled and that is missing here. The bill is read and judged as for a message of
   * the switch, but for what only a message can prove: the echo of a quote. What would be declined is not put to suspense.
   * The payment's own message, should it still come, is judged by this posting and gets a reply of its own.
   *
   * @throws Fault `advice_declined` with the outcome and the reason: nothing was stored; `no_partner`
   * @throws KeyTaken, ClaimLost roll back and call again: see `isPassing`
   */
  advise(tx: Tx, request: AdviceRequest): Promise<HandAdvice>;
  /** @throws Fault `nothing_to_reverse`, `no_partner` */
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
  /** For tests of races. */
  readonly reach?: Reach;
}

/** The channel under which operators' postings stand in the books; no terminal has it. */
const OPERATORS_CHANNEL = "0000";

/** Opens the desk. */
export function openHandDesk({ catalog, clock, ids, reach = () => {} }: HandDeskDeps): HandDesk {
  const deps = { clock, ids, reach };
  return {
    async advise(tx, request) {
      const partner = partnerOf(catalog, request.partnerId);
      const product = catalog.products.get(request.productCode);
      const isAllowed = partner.productCodes.includes(request.productCode);
      return advise(deps, tx, { partner, rules: isAllowed ? (product?.rules ?? null) : null, request });
    },
    async reverse(tx, request) {
      const partner = partnerOf(catalog, request.partnerId);
      return reverseByHand(deps, tx, instructionOf(partner, request, request.feeAmount ?? 0n, clock.nowMs()));
    },
    reinstate: (tx, paymentEntryId, today) =>
      reinstatePayment({ clock: deps.clock, ids: deps.ids, today }, tx, paymentEntryId),
    isPassing: (fault) => fault instanceof KeyTaken || fault instanceof ClaimLost,
  };
}

interface Advice {
  readonly partner: ActivePartner;
  /** Null: no such product, or not allowed for this partner. */
  readonly rules: ProductRules | null;
  readonly request: AdviceRequest;
}

/** See `HandDesk.advise`. Reads without locks, judges, claims and stores, as a message of the switch is posted. */
async function advise(
  deps: Required<Omit<HandDeskDeps, "catalog">>,
  tx: Tx,
  { partner, rules, request }: Advice,
): Promise<HandAdvice> {
  const { partnerId, traxId } = request;
  const billKey = billKeyOf(request.productCode, request.billNumber);
  const [[known = null], bills] = await Promise.all([
    readPaymentKeys(tx, [{ partnerId, traxId }]),
    readBills(tx, [billKey]),
  ]);
  await deps.reach("facts-read");
  const bill = bills.get(billKey) ?? null;
  const instruction = instructionOf(partner, request, request.feeAmount ?? bill?.feeAmount ?? 0n, deps.clock.nowMs());
  const decision = decidePayment(
    { ...instruction, bit61: "" },
    {
      known,
      isProductAllowed: rules !== null,
      rules,
      bill,
      quotes: [],
      bit61Check: "ignore",
      isFresh: true,
      mustAccept: false,
    },
    instruction.receivedAtMs,
  );
  if (decision.kind !== "post") return settledBefore(traxId, decision);
  await post(deps, tx, instruction, decision);
  return { outcome: "APPROVED", isReplay: false };
}

type Posted = Extract<PaymentDecision, { kind: "post" }>;

/** Stores the payment under the operators' own key. */
async function post(
  deps: Required<Omit<HandDeskDeps, "catalog">>,
  tx: Tx,
  instruction: PostingInstruction,
  decision: Posted,
): Promise<void> {
  const { partner, traxId, amount, receivedAtMs } = instruction;
  const { billKey, version, paidAmount } = decision.bill;
  const lastPayment = { partnerId: partner.partnerId, traxId, amount, paidAtMs: receivedAtMs };
  if (!(await claimBills(tx, [claimOf(decision, version, lastPayment)])).has(billKey)) throw new ClaimLost();
  await deps.reach("bills-claimed");
  const entry = entryOf(deps.ids, receivedAtMs, decision.postings);
  const stored = { family: "manual-payment", outcome: "APPROVED", replyBody: manualRow(paidAmount) } as const;
  const record = recordOf(instruction, { ...stored, billKey, sysCode: deps.ids.sysCode(), entry });
  if (!(await appendTrax(tx, [record]))) throw new KeyTaken();
  const exception = exceptionOf({ partner, message: instruction }, billKey, decision.bill, decision);
  await openExceptions(tx, exception === null ? [] : [exception]);
  await tellOfPayments(tx, deps.ids, merchantEventOf(decision, { ...record, entry }));
  await deps.reach("appended");
}

/**
 * What an advice comes to that moves no money: the payment stands in the books already, or may not.
 *
 * @throws Fault `advice_declined`
 */
function settledBefore(traxId: string, decision: Exclude<PaymentDecision<StoredTrax>, { kind: "post" }>): HandAdvice {
  const isPosted = decision.kind === "replay" || decision.kind === "acknowledge";
  if (isPosted && decision.known.outcome === "APPROVED") return { outcome: "APPROVED", isReplay: true };
  throw new Fault("advice_declined", `payment ${traxId} cannot be posted: ${reasonOf(decision)}; nothing was stored`);
}

/** Why an advice is declined: the outcome, and what it means for whoever has to decide what to do instead. */
function reasonOf(decision: Exclude<PaymentDecision<StoredTrax>, { kind: "post" }>): string {
  switch (decision.kind) {
    case "conflict":
      return `CONFLICT, the traxId stands for another payment: ${decision.differing.join(", ")} differ`;
    case "refuse":
      return `${decision.outcome}, the payment was taken back`;
    case "replay":
    case "acknowledge": {
      const { outcome } = decision.known;
      return outcome === "REVERSED"
        ? "REVERSED, the switch took it back before it came"
        : `${outcome}, the switch was told so and may have refunded the customer`;
    }
    case "decline":
      return `${decision.outcome}, ${WORDS[decision.outcome]}`;
    case "suspend":
      return `${decision.wouldBe}, ${WORDS[decision.wouldBe]}`;
  }
}

const WORDS = {
  PRODUCT_NOT_ALLOWED: "the partner may not collect for this product",
  BILL_NOT_FOUND: "there is no such bill",
  ALREADY_PAID: "the bill was paid by another payment",
  EXPIRED: "the bill has expired",
  CANCELLED: "the bill was cancelled",
  BAD_AMOUNT: "the amount is not what the bill owes",
  BAD_FEE: "the fee is not that of the bill",
  NO_INQUIRY: "no inquiry was answered for it",
} as const satisfies Record<Extract<PaymentDecision, { kind: "decline" }>["outcome"], string>;

function partnerOf(catalog: Catalog, partnerId: number): ActivePartner {
  const partner = [...catalog.partners.values()].find((each) => each.partnerId === partnerId);
  if (partner === undefined) throw new Fault("no_partner", `there is no active partner ${partnerId}`);
  return partner;
}

function instructionOf(
  partner: ActivePartner,
  { traxId, productCode, billNumber, amount }: AdviceRequest,
  feeAmount: bigint,
  receivedAtMs: number,
): PostingInstruction {
  return { partner, traxId, productCode, billNumber, amount, feeAmount, channel: OPERATORS_CHANNEL, receivedAtMs };
}
