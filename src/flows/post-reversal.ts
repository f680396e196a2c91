import { type Bill, billKeyOf, businessDateOf, decideReversal, type Outcome, type ReversalDecision } from "../domain";
import {
  appendClearings,
  appendOperatorEntry,
  appendTrax,
  type NewEntry,
  type OperatorEntry,
  readReceivables,
  readReversalFacts,
  ReceivableTaken,
  type StoredPayment,
  type StoredTrax,
  type TraxRecord,
} from "../ledger";
import { type Deadline, Fault, type KeyLock, type Tx } from "../platform";
import { claimBills, closeExceptions, type NewException, openExceptions, readBills } from "../store";
import { type KeyedDesk, openKeyedDesk } from "./keyed-desk";
import { tellOfReversal } from "./merchant-events";
import { paymentKeyOf } from "./payment-desk";
import { ClaimLost, KeyTaken, type PaymentItem, type PostedAnswer, type PostingDeps } from "./post-payments";
import { type ReplyStamp, replyWithout } from "./reply";
import { entryOf, recordOf } from "./trax-record";

/** What reversals are taken and posted with. */
export interface ReversalDeskDeps extends PostingDeps {
  readonly lock: KeyLock;
  readonly limits: { readonly queueMax: number };
  /** Keys being worked on in this process, shared with the desk of payments: a reversal waits for its payment. */
  readonly inFlight: Set<string>;
  readonly onFault: (fault: unknown, where: string) => void;
}

/** Takes reversals one by one. */
export type ReversalDesk = KeyedDesk<PaymentItem, PostedAnswer>;

/** Opens the desk. Reversals are rare: each is a transaction of its own. */
export function openReversalDesk(deps: ReversalDeskDeps): ReversalDesk {
  const { lock, inFlight, onFault, reach } = deps;
  return openKeyedDesk<PaymentItem, PostedAnswer>({
    name: "reversing",
    ...{ lock, inFlight, onFault, reach },
    limits: { batchMax: 1, batchesInFlight: 2, queueMax: deps.limits.queueMax },
    keyOf: paymentKeyOf,
    deadlineOf: ({ deadline }) => deadline,
    post: async ([item], deadline) => (item === undefined ? [] : [await postReversal(deps, item, deadline)]),
    isPassing: (fault) => fault instanceof KeyTaken || fault instanceof ClaimLost || fault instanceof ReceivableTaken,
    // A repeat of the reversal finds out; nothing about it can be wrong for long.
    onCommitUnknown: () => {},
  });
}

/**
 * Posts one reversal in one transaction. The payment's own key is what keeps the two apart: where there is no payment, the
 * reversal takes its key with a tombstone, so a payment that is being posted at the same time makes this one wait and be
 * judged again, and one that comes later finds its key consumed.
 *
 * @throws KeyTaken, ClaimLost, ReceivableTaken nothing was written: call again
 * @throws the faults of `Db.withTransaction`
 */
export async function postReversal(deps: PostingDeps, item: PaymentItem, deadline: Deadline): Promise<PostedAnswer> {
  const answer = await deps.db.withTransaction(deadline, async (tx) => {
    await deps.reach("begun");
    const { partner, message, receivedAtMs } = item;
    const { billKey, bill, payment, reversal } = await factsOf(tx, item);
    await deps.reach("facts-read");
    const decision = decideReversal(message, {
      known: reversal,
      payment,
      bill,
      businessDate: businessDateOf(receivedAtMs, partner.dialect.cutOff),
    });
    const carriedOut = await carryOut(deps, tx, item, { billKey, payment, decision });
    await deps.reach("appended");
    return carriedOut;
  });
  await deps.reach("committed");
  return answer;
}

async function factsOf(tx: Tx, { partner, message }: PaymentItem) {
  const billKey = billKeyOf(message.productCode, message.billNumber);
  // The bill first: should another reversal commit between the two reads, it is in the facts, and the older version of
  // the bill is never claimed. The other way round a payment would be taken off a bill that it is off already.
  const [bills, { payment, reversal }] = await Promise.all([
    readBills(tx, [billKey]),
    readReversalFacts(tx, partner.partnerId, message.traxId),
  ]);
  return { billKey, bill: bills.get(billKey) ?? null, payment, reversal };
}

/** What became of a payment that people take back. */
export interface HandReversal {
  /** The new entry; null: it was taken back before. */
  readonly entryId: string | null;
}

/**
 * Takes a payment back because two people decided so, in their transaction; its business date does not matter. It takes the
 * reversal's own key, so that the switch's reversal, should it come, is a repeat of this one. Where that key was consumed
 * by a reversal that came too late, the entry is a correction.
 *
 * @throws Fault `nothing_to_reverse`: no such payment is accepted
 * @throws KeyTaken, ClaimLost roll back and call again
 */
export async function reverseByHand(deps: PostingDeps, tx: Tx, item: PaymentItem): Promise<HandReversal> {
  const { billKey, bill, payment, reversal } = await factsOf(tx, item);
  if (payment === null || payment.entryId === null) {
    throw new Fault("nothing_to_reverse", `no payment ${item.message.traxId} is accepted here`);
  }
  if (payment.isReversed === true) return { entryId: null };
  if (payment.isDue === false) throw new Fault("not_due", `payment ${item.message.traxId} is settled or given up`);
  const { businessDate } = payment;
  const decision = decideReversal(item.message, { known: null, payment, bill, businessDate });
  if (decision.kind !== "reverse") {
    const differing = decision.kind === "conflict" ? `: ${decision.differing.join(", ")} differ` : "";
    throw new Fault("nothing_to_reverse", `payment ${item.message.traxId} cannot be reversed${differing}`);
  }
  const stamp: ReplyStamp = { sysCode: deps.ids.sysCode(), serverMicros: deps.clock.nowMicros() };
  const { body } = replyWithout(item.message, item.partner, "APPROVED", stamp);
  const judged = { billKey, payment, decision };
  const entryId = await write(deps, tx, item, judged, { outcome: "APPROVED", body, stamp }, reversal !== null);
  return { entryId };
}

interface Judged {
  readonly billKey: string;
  readonly payment: StoredPayment | null;
  readonly decision: ReversalDecision<StoredTrax>;
}

const NOTHING_SPECIAL = { fields: null, isReplay: false, differing: [], isQuoted: true, note: null } as const;

async function carryOut(deps: PostingDeps, tx: Tx, item: PaymentItem, judged: Judged): Promise<PostedAnswer> {
  const { partner, message } = item;
  const { decision } = judged;
  const stamp: ReplyStamp = { sysCode: deps.ids.sysCode(), serverMicros: deps.clock.nowMicros() };
  if (decision.kind === "replay") {
    const { outcome, replyBody } = decision.known;
    return { ...NOTHING_SPECIAL, outcome, body: replyBody, isReplay: true };
  }
  if (decision.kind === "conflict") {
    const outcome = decision.differing.every((field) => field === "amount") ? "BAD_AMOUNT" : "CONFLICT";
    const reply = replyWithout(message, partner, outcome, stamp);
    return { ...NOTHING_SPECIAL, outcome, ...reply, differing: decision.differing };
  }
  const outcome = outcomeOf(decision);
  const reply = replyWithout(message, partner, outcome, stamp);
  await write(deps, tx, item, judged, { outcome, body: reply.body, stamp });
  return { ...NOTHING_SPECIAL, outcome, ...reply };
}

type Stored = Exclude<ReversalDecision, { kind: "replay" | "conflict" }>;

function outcomeOf(decision: Stored): Outcome {
  if (decision.kind === "decline") return decision.outcome;
  return decision.kind === "bury" ? "NOT_FOUND" : "APPROVED";
}

async function write(
  deps: PostingDeps,
  tx: Tx,
  item: PaymentItem,
  { billKey, payment, decision }: Judged,
  answer: { readonly outcome: Outcome; readonly body: string; readonly stamp: ReplyStamp },
  isKeyConsumed = false,
): Promise<string | null> {
  const { partner, message, receivedAtMs } = item;
  const about = { billKey, partnerId: partner.partnerId, traxId: message.traxId };
  const { sysCode } = answer.stamp;
  const own = { family: "reversal", billKey, outcome: answer.outcome, replyBody: answer.body, sysCode } as const;
  const records: TraxRecord[] = [];
  let entryId: string | null = null;
  if (decision.kind === "reverse") {
    if (decision.bill !== null) {
      const { version, paidAmount } = decision.bill;
      const claim = { billKey, expectedVersion: version - 1, version, paidAmount, lastPayment: null };
      if (!(await claimBills(tx, [claim])).has(billKey)) throw new ClaimLost();
      await deps.reach("bills-claimed");
    }
    const entry = entryOf(deps.ids, receivedAtMs, decision.postings, payment?.entryId ?? undefined);
    const record = recordOf(item, { ...own, entry });
    ({ entryId } = entry);
    if (isKeyConsumed) await appendOperatorEntry(tx, correctionOf(record, entry));
    else records.push(record);
    await closeExceptions(tx, about, ["suspense", "double-collection", "look-alike"], "reversed by the switch");
  } else {
    records.push(recordOf(item, { ...own, entry: null }));
  }
  if (decision.kind === "reverse") await tellMerchant(deps, tx, item, decision.bill, payment);
  if (decision.kind === "bury") records.push(tombstoneOf(item, billKey, answer.stamp));
  if (!(await appendTrax(tx, records))) throw new KeyTaken();
  if (entryId !== null && payment?.entryId) {
    const receivables = await readReceivables(tx, [payment.entryId]);
    const opened = receivables.get(payment.entryId)?.opened ?? 0n;
    const businessDate = businessDateOf(receivedAtMs, partner.dialect.cutOff);
    const clearing = { entryId: payment.entryId, kind: "reversed", amount: opened } as const;
    await appendClearings(tx, { entryId, businessDate }, receivables, [clearing]);
  }
  if (decision.kind === "decline" && decision.outcome === "NOT_REVERSIBLE") {
    await openExceptions(tx, [refundOf(about, message.amount)]);
  }
  return entryId;
}

/** The same entry without a key of the switch. */
function correctionOf(record: TraxRecord, entry: NewEntry): OperatorEntry {
  const { billKey, businessDate, partnerId, traxId, productCode, billNumber, amount, receivedAtMs } = record;
  const { entryId, postings, reversesEntryId = null } = entry;
  return {
    ...{ entryId, kind: "correction", billKey, businessDate, partnerId, reference: traxId, productCode, billNumber },
    ...{ amount, happenedAtMs: receivedAtMs, postings, reversesEntryId },
  };
}

async function tellMerchant(
  deps: PostingDeps,
  tx: Tx,
  { partner, message, receivedAtMs }: PaymentItem,
  bill: Bill | null,
  payment: StoredPayment | null,
): Promise<void> {
  if (!bill?.merchantId || !payment?.entryId) return;
  await tellOfReversal(tx, deps.ids, {
    bill,
    merchantId: bill.merchantId,
    entryId: payment.entryId,
    partnerId: partner.partnerId,
    ...{ traxId: message.traxId, amount: message.amount, channel: message.channel, atMs: receivedAtMs },
  });
}

/** The payment's key, consumed: what a payment is answered that comes after its reversal. */
function tombstoneOf(item: PaymentItem, billKey: string, stamp: ReplyStamp): TraxRecord {
  const { partner, message } = item;
  const asPayment = { ...message, transactionType: partner.dialect.transactionTypes.payment };
  const replyBody = replyWithout(asPayment, partner, "REVERSED", stamp).body;
  const { sysCode } = stamp;
  return recordOf(item, { family: "payment", billKey, outcome: "REVERSED", replyBody, sysCode, entry: null });
}

function refundOf(
  about: { readonly billKey: string; readonly partnerId: number; readonly traxId: string },
  amount: bigint,
): NewException {
  const detail = "the switch asked for a reversal after the payment's business date";
  return { ...about, kind: "refund", otherTraxId: null, amount, detail };
}
