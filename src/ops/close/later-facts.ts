/** What newer closes say beside the older ones: shown where it is there. */
export interface LaterFacts {
  readonly version?: number;
  readonly replaces?: {
    readonly version: number;
    readonly reason: string;
    readonly proposedBy: string;
    readonly approvedBy: string;
  } | null;
  readonly begin?: { readonly earliest: string; readonly entries: number } | null;
  readonly expectedFiles?: readonly {
    readonly profile: string;
    readonly partner: string;
    readonly product: string | null;
    readonly dueAt: string;
    readonly state: string;
    readonly files: readonly string[];
    readonly reason: string | null;
    readonly proposedBy: string | null;
    readonly approvedBy: string | null;
  }[];
  readonly paymentsWithoutFile?: readonly {
    readonly partner: string;
    readonly product: string;
    readonly count: number;
    readonly amount: string;
  }[];
  readonly supplements?: readonly { readonly name: string; readonly of: string }[];
}
