import type { Counts } from "./faults";
import type { Planned } from "./scenario";
import type { Owner, Scheduler } from "./scheduler";
import { type Store, traxKey, type TraxRow } from "./store";

/** What a desk answered, as far as the switch is concerned. */
export type Answered =
  | { readonly kind: "answered"; readonly outcome: string; readonly body: string; readonly isReplay: boolean }
  | { readonly kind: "in-process" | "unknown" };

/** One request with what became of it. */
export interface Sent {
  readonly planned: Planned;
  readonly owner: Owner;
  readonly repeatsLeft: number;
  readonly isFinal: boolean;
  /** Place among all steps, to tell what was before what. */
  readonly sentStep: number;
  readonly deadlineAtMs: number;
  /** By the host's own wall clock, counted from the start of the run. */
  readonly receivedAtMs: number;
  /** Its key was consumed before it was sent. */
  readonly isKnown: boolean;
  answer: Answered | null;
  answeredStep: number;
  isLost: boolean;
}

/** Whether two messages under one key are the same payment. */
export function isSame(
  one: Pick<TraxRow, "productCode" | "billNumber" | "amount" | "feeAmount">,
  other: Pick<TraxRow, "productCode" | "billNumber" | "amount" | "feeAmount">,
): boolean {
  return (
    one.productCode === other.productCode &&
    one.billNumber === other.billNumber &&
    one.amount === other.amount &&
    one.feeAmount === other.feeAmount
  );
}

/** Timers run a little late, and a last step takes its time. */
const SLACK_MS = 4;

/** What the switch sent and was told. Each answer is held against what is committed at that very moment. */
export class History {
  readonly sents: Sent[] = [];
  readonly violations: string[] = [];
  readonly #stalls = new Map<Owner, number>();
  /** Stored bodies that were answered, by key; and how often a key was answered as new. */
  readonly #bodies = new Map<string, string>();
  readonly #asNew = new Map<string, number>();

  constructor(
    readonly scheduler: Scheduler,
    readonly store: Store,
    /** Nothing goes wrong in this run and nobody is in a hurry: every answer is definite. */
    readonly isQuiet: boolean,
  ) {}

  send(planned: Planned, owner: Owner, repeatsLeft: number, isFinal: boolean, receivedAtMs: number): Sent {
    const { steps: sentStep, nowMs } = this.scheduler;
    const sent: Sent = {
      ...{ planned, owner, repeatsLeft, isFinal, sentStep, receivedAtMs, deadlineAtMs: nowMs + planned.deadlineMs },
      isKnown: this.#row(planned, planned.family) !== undefined,
      ...{ answer: null, answeredStep: Number.POSITIVE_INFINITY, isLost: false },
    };
    this.sents.push(sent);
    return sent;
  }

  /** The process of this owner stands still until then: its answers are late. */
  stall(owner: Owner, untilMs: number): void {
    this.#stalls.set(owner, untilMs);
  }

  /** A host died: its callers see their connections go. */
  loseAll(owner: Owner): Sent[] {
    const lost = this.sents.filter((sent) => sent.owner === owner && sent.answer === null);
    for (const sent of lost) sent.isLost = true;
    return lost;
  }

  answer(sent: Sent, answer: Answered): void {
    if (!sent.owner.isAlive) return;
    const { planned } = sent;
    const { family, traxId } = planned;
    sent.answer = answer;
    sent.answeredStep = this.scheduler.steps;
    const told = answer.kind === "answered" ? `${answer.outcome}${answer.isReplay ? ", replayed" : ""}` : answer.kind;
    this.scheduler.note(`${sent.owner.name} answers ${family} ${traxId}: ${told}`);
    const limitMs = Math.max(sent.deadlineAtMs, this.#stalls.get(sent.owner) ?? 0) + SLACK_MS;
    if (this.scheduler.nowMs > limitMs) this.#break(sent, `answered ${this.scheduler.nowMs - limitMs} ms too late`);
    if (answer.kind !== "answered") {
      const isOwed = sent.isFinal || (this.isQuiet && planned.deadlineMs >= 3_000);
      if (isOwed) this.#break(sent, `not answered for good although everything was well: ${answer.kind}`);
      return;
    }
    if (family === "payment") this.#checkPayment(sent, answer);
    else this.#checkReversal(sent, answer);
  }

  violate(what: string): void {
    this.violations.push(what);
  }

  countInto(counts: Counts): void {
    for (const { answer, isLost } of this.sents) {
      if (answer === null) counts.add(isLost ? "answers lost in a crash" : "never answered");
      else if (answer.kind !== "answered") counts.add(`answers: ${answer.kind}`);
      else counts.add(`answers: ${answer.isReplay ? "replayed" : answer.outcome}`);
    }
  }

  #checkPayment(sent: Sent, answer: Answered & { kind: "answered" }): void {
    const { planned } = sent;
    const row = this.#row(planned, "payment");
    const { outcome } = answer;
    if (outcome === "CONFLICT") {
      if (row === undefined || isSame(row, planned)) this.#break(sent, "a conflict with nothing");
      return;
    }
    if (outcome === "BAD_AUTH") {
      if (planned.isFresh || sent.isKnown) this.#break(sent, "refused as stale, and is fresh or was answered before");
      return;
    }
    if (row !== undefined && !isSame(row, planned))
      return this.#break(sent, `${outcome}, and the key is another payment's`);
    if (outcome === "REVERSED" && !answer.isReplay) {
      const reversal = this.#row(planned, "reversal");
      if (reversal?.entryId === null || reversal === undefined)
        this.#break(sent, "REVERSED, and no reversal is committed");
      return;
    }
    this.#checkStored(sent, answer, row);
  }

  #checkReversal(sent: Sent, answer: Answered & { kind: "answered" }): void {
    const { planned } = sent;
    const row = this.#row(planned, "reversal");
    const original = row ?? this.#row(planned, "payment");
    const isOther = original !== undefined && !isSame(original, planned);
    if (answer.outcome === "CONFLICT" || answer.outcome === "BAD_AMOUNT") {
      const isAmountOnly = isOther && isSame({ ...original, amount: planned.amount }, planned);
      if (!isOther || isAmountOnly !== (answer.outcome === "BAD_AMOUNT")) this.#break(sent, "a conflict with nothing");
      return;
    }
    if (isOther) return this.#break(sent, `${answer.outcome}, and the key is another payment's`);
    this.#checkStored(sent, answer, row);
  }

  /** What is answered for good is committed by then, with these very bytes, and was always answered so. */
  #checkStored(sent: Sent, answer: Answered & { kind: "answered" }, row: TraxRow | undefined): void {
    const { planned } = sent;
    const key = traxKey(planned.partner.partnerId, planned.traxId, planned.family);
    if (row === undefined) return this.#break(sent, `${answer.outcome}, and nothing is committed`);
    if (row.outcome !== answer.outcome) this.#break(sent, `${answer.outcome}, and ${row.outcome} is stored`);
    if (row.replyBody !== answer.body) this.#break(sent, "other bytes than the stored ones");
    const before = this.#bodies.get(key);
    if (before !== undefined && before !== answer.body) this.#break(sent, "other bytes than the first time");
    this.#bodies.set(key, answer.body);
    if (answer.isReplay) return;
    const asNew = (this.#asNew.get(key) ?? 0) + 1;
    this.#asNew.set(key, asNew);
    if (asNew > 1) this.#break(sent, "posted as new a second time");
  }

  #row({ partner, traxId }: Planned, family: string): TraxRow | undefined {
    return this.store.trax.get(traxKey(partner.partnerId, traxId, family));
  }

  #break({ planned, owner }: Sent, what: string): void {
    const { family, traxId, partner, amount } = planned;
    const which = `${family} ${traxId} of ${partner.userName} (${amount}) at ${owner.name}`;
    this.violate(`${this.scheduler.nowMs.toFixed(3)} ms, ${which}: ${what}`);
    this.scheduler.note(`VIOLATION ${which}: ${what}`);
  }
}
