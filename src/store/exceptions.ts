import { randomUUID } from "node:crypto";
import type { Statement, Tx } from "../platform";

/** What an exception is about. */
export type ExceptionKind = "double-collection" | "suspense" | "refund" | "look-alike" | "divergence";

/** Something that people have to look at. Amounts in whole rupiah. */
export interface NewException {
  readonly kind: ExceptionKind;
  readonly billKey: string;
  readonly partnerId: number;
  readonly traxId: string;
  /** The payment that this one stands against, for instance the first of two collections. */
  readonly otherTraxId: string | null;
  readonly amount: bigint;
  /** For people; never holds names. */
  readonly detail: string;
}

const OPEN: Statement = {
  name: "store_open_exceptions",
  isWrite: true,
  text: `
    insert into exception (exception_id, kind, bill_key, partner_id, trax_id, other_trax_id, amount, detail)
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::bigint[], $8::text[])
    on conflict (bill_key, partner_id, trax_id, kind) where closed_at is null do nothing`,
};

/** Opens exceptions, in the transaction of what they are about. One that is open already stays as it is. */
export async function openExceptions(tx: Tx, exceptions: readonly NewException[]): Promise<void> {
  if (exceptions.length === 0) return;
  await tx.run(OPEN, [
    exceptions.map(() => randomUUID()),
    exceptions.map((each) => each.kind),
    exceptions.map((each) => each.billKey),
    exceptions.map((each) => each.partnerId),
    exceptions.map((each) => each.traxId),
    exceptions.map((each) => each.otherTraxId),
    exceptions.map((each) => each.amount),
    exceptions.map((each) => each.detail),
  ]);
}

const CLOSE_OF_TRAX: Statement = {
  name: "store_close_exceptions",
  isWrite: true,
  text: `
    update exception set closed_at = clock_timestamp(), closed_because = $4
     where bill_key = $1 and partner_id = $2 and trax_id = $3 and closed_at is null and kind = any($5::text[])`,
};

/** Closes what is open about a traxId, of these kinds. */
export async function closeExceptions(
  tx: Tx,
  about: { readonly billKey: string; readonly partnerId: number; readonly traxId: string },
  kinds: readonly ExceptionKind[],
  because: string,
): Promise<void> {
  await tx.run(CLOSE_OF_TRAX, [about.billKey, about.partnerId, about.traxId, because, kinds]);
}

/** An exception as a listing shows it. */
export interface ExceptionRow extends NewException {
  readonly exceptionId: string;
  readonly userName: string;
  readonly openedAt: Date;
  readonly closedAt: Date | null;
  readonly closedBecause: string | null;
}

const LIST: Statement = {
  name: "store_list_exceptions",
  text: `
    select x.exception_id, x.kind, x.bill_key, x.partner_id, p.user_name, x.trax_id, x.other_trax_id, x.amount, x.detail,
           x.opened_at, x.closed_at, x.closed_because
      from exception x join partner p on p.partner_id = x.partner_id
     where ($1::text is null or x.kind = $1) and ($2::boolean or x.closed_at is null)
       and ($3::text is null or x.trax_id = $3)
     order by x.opened_at desc, x.exception_id
     limit $4`,
};

/** Exceptions, the latest first; open ones only unless told otherwise. */
export async function listExceptions(
  tx: Tx,
  filter: {
    readonly kind: string | null;
    readonly withClosed: boolean;
    readonly traxId: string | null;
    readonly limit: number;
  },
): Promise<ExceptionRow[]> {
  const rows = await tx.run<{
    exception_id: string;
    kind: ExceptionKind;
    bill_key: string;
    partner_id: number;
    user_name: string;
    trax_id: string;
    other_trax_id: string | null;
    amount: bigint;
    detail: string;
    opened_at: Date;
    closed_at: Date | null;
    closed_because: string | null;
  }>(LIST, [filter.kind, filter.withClosed, filter.traxId, filter.limit]);
  return rows.map((row) => ({
    exceptionId: row.exception_id,
    kind: row.kind,
    billKey: row.bill_key,
    partnerId: row.partner_id,
    userName: row.user_name,
    traxId: row.trax_id,
    otherTraxId: row.other_trax_id,
    amount: row.amount,
    detail: row.detail,
    openedAt: row.opened_at,
    closedAt: row.closed_at,
    closedBecause: row.closed_because,
  }));
}
