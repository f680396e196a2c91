import type { KeyLock } from "../platform";
import { type DeskAnswer, type KeyedDesk, openKeyedDesk } from "./keyed-desk";
import {
  ClaimLost,
  KeyTaken,
  type PaymentItem,
  type PostedAnswer,
  postPayments,
  type PostingDeps,
} from "./post-payments";

/** What payments are taken and posted with. */
export interface PaymentDeskDeps extends PostingDeps {
  readonly lock: KeyLock;
  readonly limits: { readonly batchMax: number; readonly batchesInFlight: number; readonly queueMax: number };
  /** Keys being worked on in this process, shared with the desk of reversals. */
  readonly inFlight: Set<string>;
  readonly onCommitUnknown: (items: readonly PaymentItem[]) => void;
  readonly onFault: (fault: unknown, where: string) => void;
}

/** What is said about a payment. */
export type PaymentAnswer = DeskAnswer<PostedAnswer>;

/** Takes payments one by one, posts them in batches, and answers each within its deadline. */
export type PaymentDesk = KeyedDesk<PaymentItem, PostedAnswer>;

/** Opens the desk. */
export function openPaymentDesk(deps: PaymentDeskDeps): PaymentDesk {
  const { lock, limits, inFlight, onCommitUnknown, onFault, reach } = deps;
  return openKeyedDesk<PaymentItem, PostedAnswer>({
    name: "posting",
    ...{ lock, limits, inFlight, onCommitUnknown, onFault, reach },
    keyOf: paymentKeyOf,
    deadlineOf: ({ deadline }) => deadline,
    post: (items, deadline) => postPayments(deps, items, deadline),
    isPassing: (fault) => fault instanceof KeyTaken || fault instanceof ClaimLost,
  });
}

/** The key that a payment, its repeats and its reversal are worked on under, one at a time. */
export function paymentKeyOf({ partner, message }: Pick<PaymentItem, "partner" | "message">): string {
  return `payment:${partner.partnerId}:${message.traxId}`;
}
