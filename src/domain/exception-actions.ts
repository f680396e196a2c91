import { ACCOUNTS, type AccountCode } from "./journal";
import type { ReconciliationClass } from "./reconciliation";

/** Actions that one proposes and another approves: nearly all of them move money. */
export const MONEY_ACTIONS = [
  "advise",
  "reverse",
  "accept",
  "link",
  "write-off",
  "recover",
  "not-a-payment",
  "close-without-file",
] as const;
export type MoneyAction = (typeof MONEY_ACTIONS)[number];

/** Kinds of exception that payments and reversals open by themselves. */
export const OPENED_KINDS = ["double-collection", "suspense", "refund", "look-alike", "divergence"] as const;
export type OpenedKind = (typeof OPENED_KINDS)[number];

/** Kinds of exception about settlement files: one that has not come in time, and a line of one that cannot be read. */
export const FILE_KINDS = ["missing-file", "unreadable-line"] as const;
export type FileKind = (typeof FILE_KINDS)[number];

/** What an item of the queue is: a class of finding, or a kind of exception. */
export type ItemClass = Exclude<ReconciliationClass, "matched"> | OpenedKind | FileKind;

const BY_CLASS: Readonly<Record<ItemClass, readonly MoneyAction[]>> = {
  "amount-differs": ["accept", "write-off"],
  "fee-differs": ["accept", "write-off"],
  "wrong-business-date": ["accept"],
  "missing-here": ["advise", "link", "accept"],
  "missing-in-file": ["reverse", "accept", "write-off"],
  "duplicate-in-file": ["accept"],
  "status-differs": ["reverse", "accept", "write-off"],
  "reversed-here": ["accept"],
  "reversed-there": ["reverse", "accept", "write-off"],
  recovered: ["recover", "accept"],
  "double-collection": [],
  suspense: ["reverse", "accept"],
  refund: ["reverse"],
  "look-alike": ["reverse"],
  divergence: ["reverse"],
  "missing-file": ["close-without-file"],
  "unreadable-line": ["not-a-payment"],
};

/** What may be proposed for an item of a class; what was approved for it can always be undone. */
export function moneyActionsFor(itemClass: ItemClass): readonly MoneyAction[] {
  return BY_CLASS[itemClass];
}

/** Accounts that a difference may be accepted to: never those that settlement itself moves. */
export const DIFFERENCE_ACCOUNTS: readonly AccountCode[] = [
  ACCOUNTS.settlementDifference,
  ACCOUNTS.suspense,
  ACCOUNTS.refundPayable,
  ACCOUNTS.unappliedCredit,
  ACCOUNTS.feeEarned,
  ACCOUNTS.feePayable,
  ACCOUNTS.billCollections,
];

/** When an exception is due: of the tiers whose `from` it reaches, the highest counts. Amounts as digits, whole rupiah. */
export interface DueRule {
  readonly tiers: readonly { readonly from: string; readonly hours: number }[];
}

/** Ten million and more within four hours, a million and more within a day, all else within three. */
export const DEFAULT_DUE_RULE: DueRule = {
  tiers: [
    { from: "0", hours: 72 },
    { from: "1000000", hours: 24 },
    { from: "10000000", hours: 4 },
  ],
};

/** Everything that is wrong with a rule that somebody wrote; empty when it can be used. */
export function faultsOfDueRule(given: unknown): string[] {
  const tiers = typeof given === "object" && given !== null ? (given as { tiers?: unknown }).tiers : undefined;
  if (!Array.isArray(tiers) || tiers.length === 0 || tiers.length > 20) return ["tiers: must be a list of 1 to 20"];
  const faults = tiers.flatMap((tier: unknown, index) => {
    const { from, hours, ...others } = (typeof tier === "object" && tier !== null ? tier : {}) as Record<
      string,
      unknown
    >;
    return [
      ...(typeof from === "string" && /^[0-9]{1,15}$/.test(from)
        ? []
        : [`tiers.${index}.from: must be digits, whole rupiah`]),
      ...(typeof hours === "number" && Number.isInteger(hours) && hours >= 1 && hours <= 2_160
        ? []
        : [`tiers.${index}.hours: must be a whole number from 1 to 2160`]),
      ...Object.keys(others).map((name) => `tiers.${index}.${name}: is not known`),
    ];
  });
  if (faults.length > 0) return faults;
  const froms = (tiers as DueRule["tiers"]).map(({ from }) => BigInt(from));
  if (!froms.includes(0n)) faults.push("tiers: one must be from 0");
  if (new Set(froms).size < froms.length) faults.push("tiers: two have the same from");
  return faults;
}
