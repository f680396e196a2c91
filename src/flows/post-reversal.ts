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
import { entryOf, instructionOf, type PostingInstruction, recordOf } from "./trax-record";

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
 * Posts one reversal of the switch in one transaction. The payment's own key is what keeps the two apart: where there is no
 * payment, the reversal takes its key with a tombstone, so a payment that is being posted at the same time makes this one
 * wait and be judged again, and one that comes later finds its key consumed.
 *
 * @throws KeyTaken, ClaimLost, ReceivableTaken nothing was written: call again
 * @throws the faults of `Db.withTransaction`
 */
export async function postReversal(deps: PostingDeps, item: PaymentItem, deadline: Deadline): Promise<PostedAnswer> {
  const answer = await deps.db.withTransaction(deadline, async (tx) => {
    await deps.reach("begun");
    const { partner, receivedAtMs } = item;
    const instruction = instructionOf(item);
    const { billKey, bill, payment, reversal, isReversalKeyTaken } = await factsOf(tx, instruction);
    await deps.reach("facts-read");
    const isDue = payment?.isDue !== false && !isReversalKeyTaken;
    const decision = decideReversal(instruction, {
      known: reversal,
      // A payment whose reversal was undone is people's to take back.
      payment: payment === null ? null : { ...payment, isDue },
      bill,
      businessDate: businessDateOf(receivedAtMs, partner.dialect.cutOff),
    });
    const carriedOut = await carryOut(deps, tx, item, { instruction, billKey, payment, decision });
    await deps.reach("appended");
    return carriedOut;
  });
  await deps.reach("committed");
  return answer;
}

async function factsOf(tx: Tx, { partner, traxId, productCode, billNumber }: PostingInstruction) {
  const billKey = billKeyOf(productCode, billNumber);
  // The bill first: should another reversal commit between the two reads, it is in the facts, and the older version of
  // the bill is never claimed. The other way round a payment would be taken off a bill that it is off already.
  const [bills, { payment, reversal, isReversalKeyTaken }] = await Promise.all([
    readBills(tx, [billKey]),
    readReversalFacts(tx, partner.partnerId, traxId),
  ]);
  return { billKey, bill: bills.get(billKey) ?? null, payment, reversal, isReversalKeyTaken };
}

/** What became of a payment that operators take back. */
export interface HandReversal {
  /** The new entry; null: it was taken back before. */
  readonly entryId: string | null;
}

/**
 * Takes a payment back because two people decided so, in their transaction; its business date does not matter. The reversal
 * has a key of its own family, so that the switch's, before or after, is judged and answered by itself.
 *
 * @throws Fault `nothing_to_reverse`: no such payment is accepted
 * @throws KeyTaken, ClaimLost roll back and call again
 */
export async function reverseByHand(
  deps: Omit<PostingDeps, "db">,
  tx: Tx,
  instruction: PostingInstruction,
): Promise<HandReversal> {
  const { traxId } = instruction;
  const { billKey, bill, payment, isReversalKeyTaken } = await factsOf(tx, instruction);
  await deps.reach("facts-read");
  if (payment === null || payment.entryId === null) {
    throw new Fault("nothing_to_reverse", `no payment ${traxId} is accepted here`);
  }
  if (payment.isReversed === true) return { entryId: null };
  if (payment.isDue === false) throw new Fault("not_due", `payment ${traxId} is settled or given up`);
  const { businessDate } = payment;
  const decision = decideReversal(instruction, { known: null, payment, bill, businessDate });
  if (decision.kind !== "reverse") {
    const differing = decision.kind === "conflict" ? `: ${decision.differing.join(", ")} differ` : "";
    throw new Fault("nothing_to_reverse", `payment ${traxId} cannot be reversed${differing}`);
  }
  const judged = { instruction, billKey, payment, decision };
  const stored = { family: "manual-reversal", outcome: "APPROVED", replyBody: NO_REPLY } as const;
  const result = { ...stored, sysCode: deps.ids.sysCode() };
  const record = await takeBack(deps, tx, judged, result, "reversed by operators");
  // A reversal that was undone keeps its key: the next one is a correction without a key of its own.
  if (isReversalKeyTaken && record.entry !== null) await appendOperatorEntry(tx, correctionOf(record, record.entry));
  else if (!(await appendTrax(tx, [record]))) throw new KeyTaken();
  await clearReversed(tx, payment, record);
  await deps.reach("appended");
  return { entryId: record.entry?.entryId ?? null };
}

/** The same entry without a key. */
function correctionOf(record: TraxRecord, { entryId, postings, reversesEntryId }: NewEntry): OperatorEntry {
  const { billKey, businessDate, partnerId, traxId, productCode, billNumber, amount, receivedAtMs } = record;
  return {
    entryId,
    kind: "correction",
    billKey,
    businessDate,
    partnerId,
    reference: traxId,
    productCode,
    billNumber,
    amount,
    happenedAtMs: receivedAtMs,
    postings,
    reversesEntryId: reversesEntryId ?? null,
  };
}

/** The receivable of a payment is reversed by the entry that was just written. @throws ReceivableTaken */
async function clearReversed(
  tx: Tx,
  payment: StoredPayment | null,
  { entry, businessDate }: TraxRecord,
): Promise<void> {
  if (!payment?.entryId || entry === null) return;
  const receivables = await readReceivables(tx, [payment.entryId]);
  const amount = receivables.get(payment.entryId)?.opened ?? 0n;
  const clearing = { entryId: payment.entryId, kind: "reversed", amount } as const;
  await appendClearings(tx, { entryId: entry.entryId, businessDate }, receivables, [clearing]);
}

/** A manual reversal answers nobody, and nothing is asked of it later. */
const NO_REPLY = "{}";

interface Judged<Decision = ReversalDecision<StoredTrax>> {
  readonly instruction: PostingInstruction;
  readonly billKey: string;
  readonly payment: StoredPayment | null;
  readonly decision: Decision;
}

/** What is stored under a reversal's key. */
type Result = Pick<TraxRecord, "family" | "outcome" | "replyBody" | "sysCode">;

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
  await write(deps, tx, item, { ...judged, decision }, { outcome, body: reply.body, stamp });
  return { ...NOTHING_SPECIAL, outcome, ...reply };
}

type Stored = Exclude<ReversalDecision, { kind: "replay" | "conflict" }>;

function outcomeOf(decision: Stored): Outcome {
  if (decision.kind === "decline") return decision.outcome;
  return decision.kind === "bury" ? "NOT_FOUND" : "APPROVED";
}

/** Stores what was decided of the switch's reversal. */
async function write(
  deps: PostingDeps,
  tx: Tx,
  item: PaymentItem,
  judged: Judged<Stored>,
  { outcome, body, stamp }: { readonly outcome: Outcome; readonly body: string; readonly stamp: ReplyStamp },
): Promise<void> {
  const { instruction, billKey, decision } = judged;
  const result: Result = { family: "reversal", outcome, replyBody: body, sysCode: stamp.sysCode };
  const records = [
    decision.kind === "reverse"
      ? await takeBack(deps, tx, { ...judged, decision }, result, "reversed by the switch")
      : recordOf(instruction, { ...result, billKey, entry: null }),
  ];
  if (decision.kind === "bury") records.push(tombstoneOf(item, billKey, stamp));
  if (!(await appendTrax(tx, records))) throw new KeyTaken();
  const [record] = records;
  if (decision.kind === "reverse" && record?.entry) await clearReversed(tx, judged.payment, record);
  if (decision.kind === "decline" && decision.outcome === "NOT_REVERSIBLE") {
    await openExceptions(tx, [refundOf(instruction, billKey)]);
  }
}

/**
 * Takes a payment back: the only place where a reversal comes to an entry, whoever asked for it. The bill is claimed, what
 * was open about the payment is closed and its merchant is told; the caller stores the record.
 *
 * @throws ClaimLost roll back and call again
 */
async function takeBack(
  deps: Omit<PostingDeps, "db">,
  tx: Tx,
  { instruction, billKey, payment, decision }: Judged<Extract<Stored, { kind: "reverse" }>>,
  result: Result,
  because: string,
): Promise<TraxRecord> {
  const { partner, traxId, receivedAtMs } = instruction;
  if (decision.bill !== null) {
    const { version, paidAmount } = decision.bill;
    const claim = { billKey, expectedVersion: version - 1, version, paidAmount, lastPayment: null };
    if (!(await claimBills(tx, [claim])).has(billKey)) throw new ClaimLost();
    await deps.reach("bills-claimed");
  }
  const entry = entryOf(deps.ids, receivedAtMs, decision.postings, payment?.entryId ?? undefined);
  const about = { billKey, partnerId: partner.partnerId, traxId };
  await closeExceptions(tx, about, ["suspense", "double-collection", "look-alike"], because);
  await tellMerchant(deps, tx, instruction, decision.bill, payment);
  return recordOf(instruction, { ...result, billKey, entry });
}

async function tellMerchant(
  { ids }: Pick<PostingDeps, "ids">,
  tx: Tx,
  { partner, traxId, amount, channel, receivedAtMs }: PostingInstruction,
  bill: Bill | null,
  payment: StoredPayment | null,
): Promise<void> {
  if (!bill?.merchantId || !payment?.entryId) return;
  await tellOfReversal(tx, ids, {
    bill,
    merchantId: bill.merchantId,
    entryId: payment.entryId,
    partnerId: partner.partnerId,
    traxId,
    amount,
    channel,
    atMs: receivedAtMs,
  });
}

/** The payment's key, consumed: what a payment is answered that comes after its reversal. */
function tombstoneOf(item: PaymentItem, billKey: string, { sysCode, serverMicros }: ReplyStamp): TraxRecord {
  const { partner, message } = item;
  const asPayment = { ...message, transactionType: partner.dialect.transactionTypes.payment };
  const replyBody = replyWithout(asPayment, partner, "REVERSED", { sysCode, serverMicros }).body;
  const result = { family: "payment", outcome: "REVERSED", replyBody, sysCode, entry: null } as const;
  return recordOf(instructionOf(item), { ...result, billKey });
}

function refundOf({ partner, traxId, amount }: PostingInstruction, billKey: string): NewException {
  const detail = "the switch asked for a reversal after the payment's business date";
  const about = { billKey, partnerId: partner.partnerId, traxId };
  return { ...about, kind: "refund", otherTraxId: null, amount, detail };
}
