import type { Clock, Db, IdSource, Tx } from "../../platform";
import type { Actor } from "./history";
import type { Proposal } from "./proposals";

/** How payments are posted and taken back: by the flows that the switch's messages go through. */
export interface ByHand {
  advise(tx: Tx, request: HandRequest): Promise<{ readonly isReplay: boolean }>;
  reverse(tx: Tx, request: HandRequest): Promise<{ readonly entryId: string | null }>;
  /** Takes the standing reversal of a payment back. @returns the correction's identifier */
  reinstate(tx: Tx, paymentEntryId: string, today: string): Promise<string>;
  isPassing(fault: unknown): boolean;
}

interface HandRequest {
  readonly partnerId: number;
  readonly traxId: string;
  readonly productCode: string;
  readonly billNumber: string;
  readonly amount: bigint;
  readonly feeAmount: bigint | null;
}

/** What proposals are approved with. */
export interface ApprovalDeps {
  readonly db: Pick<Db, "withTransaction">;
  readonly byHand: ByHand;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Business date that entries are booked on, `YYYY-MM-DD`. */
  readonly today: () => string;
}

/** What an approval brought about. */
export interface Approved {
  readonly proposal: Proposal;
  /** In words, for people. */
  readonly done: string;
  /** The settlement or correction entry; null where none was needed. */
  readonly entryId: string | null;
}

/** What carrying out a proposal works with: all of it in the transaction of the decision. */
export interface Context {
  readonly deps: ApprovalDeps;
  readonly tx: Tx;
  readonly actor: Actor;
  readonly proposal: Proposal;
}
/** What it brought about. */
export type Result = Omit<Approved, "proposal">;
