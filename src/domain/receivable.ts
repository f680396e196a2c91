/**
 * How a receivable can be cleared. `recovered`: money that came for what was written off or accepted elsewhere. `excess`:
 * cleared a second time before the database refused that; only ever reduced.
 */
export const CLEARING_KINDS = ["settled", "reversed", "written-off", "accepted", "recovered", "excess"] as const;
export type ClearingKind = (typeof CLEARING_KINDS)[number];

/** What the switch owes for one accepted payment, as its latest clearing left it. Whole rupiah. */
export interface Receivable {
  /** The payment's journal entry. */
  readonly entryId: string;
  readonly billKey: string;
  /** Business date of that entry, `YYYY-MM-DD`. */
  readonly entryDate: string;
  readonly partnerId: number;
  /** 0: nothing was cleared yet. */
  readonly version: number;
  /** What the payment put on *due from switch*. */
  readonly opened: bigint;
  readonly cleared: Readonly<Record<ClearingKind, bigint>>;
}

/** What a receivable is, in one word; `due` while any part of it is owed. */
export type ReceivableState = "due" | "settled" | "reversed" | "recovered" | "written-off" | "accepted";

/** One change of a receivable: cleared, or with a negative amount a clearing taken back. */
export interface Clearing {
  readonly kind: ClearingKind;
  /** Whole rupiah, never 0. */
  readonly amount: bigint;
}

/** Nothing cleared. */
export const NOTHING_CLEARED: Receivable["cleared"] = {
  settled: 0n,
  reversed: 0n,
  "written-off": 0n,
  accepted: 0n,
  recovered: 0n,
  excess: 0n,
};

/** What of a receivable the switch still owes. Whole rupiah. */
export function stillDueOf({ opened, cleared }: Pick<Receivable, "opened" | "cleared">): bigint {
  return opened - cleared.settled - cleared.reversed - cleared["written-off"] - cleared.accepted - cleared.recovered;
}

/** Whether nothing of a receivable was cleared: only then its payment can be reversed. */
export function isWhollyDue(receivable: Pick<Receivable, "opened" | "cleared">): boolean {
  return stillDueOf(receivable) === receivable.opened && receivable.cleared.excess === 0n;
}

/** What was given up for a receivable, and may still come: written off, or accepted to another account. */
export function givenUpOf({ cleared }: Pick<Receivable, "cleared">): bigint {
  return cleared["written-off"] + cleared.accepted;
}

/** See `ReceivableState`. */
export function stateOfReceivable(receivable: Pick<Receivable, "opened" | "cleared">): ReceivableState {
  const { cleared } = receivable;
  if (stillDueOf(receivable) > 0n) return "due";
  if (cleared.reversed > 0n) return "reversed";
  if (cleared.settled > 0n) return "settled";
  if (cleared.recovered > 0n) return "recovered";
  return cleared["written-off"] > 0n ? "written-off" : "accepted";
}

/**
 * A receivable after one clearing.
 *
 * @returns null where the law does not allow it: more than was opened, less than nothing, a part of it reversed, or something
 *   cleared twice
 */
export function withClearing(receivable: Receivable, { kind, amount }: Clearing): Receivable | null {
  const cleared = { ...receivable.cleared, [kind]: receivable.cleared[kind] + amount };
  const after = { ...receivable, version: receivable.version + 1, cleared };
  const isWhole = cleared.reversed === 0n || cleared.reversed === receivable.opened;
  const isLawful = amount !== 0n && cleared[kind] >= 0n && stillDueOf(after) >= 0n && isWhole;
  return isLawful && !(kind === "excess" && amount > 0n) ? after : null;
}
