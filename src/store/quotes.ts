import type { Quote } from "../domain";
import type { Statement, Tx } from "../platform";

/** A quote with the bill and partner that it was given for. */
export interface StoredQuote extends Quote {
  readonly billKey: string;
  readonly partnerId: number;
  /** SHA-256 over bit61, amount and fee, hex. */
  readonly digestHex: string;
  readonly quotedAtMs: number;
}

const READ_QUOTES: Statement = {
  name: "store_read_quotes",
  text: `
    select k.ordinal::int as ordinal, q.bill_version, q.amount, q.fee_amount, q.bit61, q.body_width,
           (extract(epoch from q.honoured_until) * 1000)::float8 as honoured_until_ms
      from unnest($1::text[], $2::int[]) with ordinality k(bill_key, partner_id, ordinal)
     cross join lateral (select * from quote
                          where bill_key = k.bill_key and partner_id = k.partner_id
                            and honoured_until > to_timestamp($3::bigint / 1000.0) offset 0) q
     order by q.quoted_at desc`,
};

interface QuoteRow {
  readonly ordinal: number;
  readonly bill_version: number;
  readonly amount: bigint;
  readonly fee_amount: bigint;
  readonly bit61: string;
  readonly body_width: number;
  readonly honoured_until_ms: number;
}

/** The live quotes of each (bill, partner), newest first, in the order asked. No locks. */
export async function readLiveQuotes(
  tx: Tx,
  pairs: readonly { readonly billKey: string; readonly partnerId: number }[],
  nowMs: number,
): Promise<Quote[][]> {
  const quotes: Quote[][] = pairs.map(() => []);
  if (pairs.length === 0) return quotes;
  const rows = await tx.run<QuoteRow>(READ_QUOTES, [
    pairs.map((pair) => pair.billKey),
    pairs.map((pair) => pair.partnerId),
    Math.floor(nowMs),
  ]);
  for (const row of rows) {
    quotes[row.ordinal - 1]?.push({
      billVersion: row.bill_version,
      amount: row.amount,
      feeAmount: row.fee_amount,
      bit61: row.bit61,
      bodyWidth: row.body_width,
      honouredUntilMs: row.honoured_until_ms,
    });
  }
  return quotes;
}

const COUNT_LIVE: Statement = {
  name: "store_count_live_quotes",
  text: `select count(*)::int as live from quote where bill_key = $1 and honoured_until > to_timestamp($2::bigint / 1000.0)`,
};

/** How many quotes of a bill are still honoured, whoever they were given to. */
export async function readLiveQuotesOfBill(tx: Tx, billKey: string, nowMs: number): Promise<number> {
  const [row] = await tx.run<{ live: number }>(COUNT_LIVE, [billKey, Math.floor(nowMs)]);
  return row?.live ?? 0;
}

const SAVE_QUOTES: Statement = {
  name: "store_save_quotes",
  isWrite: true,
  text: `
    insert into quote (bill_key, partner_id, quote_digest, bill_version, amount, fee_amount, bit61, body_width, quoted_at,
                       honoured_until)
    select bill_key, partner_id, decode(digest, 'hex'), bill_version, amount, fee_amount, bit61, body_width,
           to_timestamp(quoted_at_ms / 1000.0), to_timestamp(honoured_until_ms / 1000.0)
      from (select distinct on (bill_key, partner_id, digest) *
              from unnest($1::text[], $2::int[], $3::text[], $4::int[], $5::bigint[], $6::bigint[], $7::text[],
                          $8::int[], $9::bigint[], $10::bigint[])
                   as i(bill_key, partner_id, digest, bill_version, amount, fee_amount, bit61, body_width, quoted_at_ms,
                        honoured_until_ms)
             order by bill_key, partner_id, digest, honoured_until_ms desc) newest
    on conflict (bill_key, partner_id, quote_digest) do update
       set bill_version   = excluded.bill_version,
           quoted_at      = greatest(quote.quoted_at, excluded.quoted_at),
           honoured_until = greatest(quote.honoured_until, excluded.honoured_until)`,
};

/** Stores what inquiries answered. The same answer given again only prolongs the quote. */
export async function saveQuotes(tx: Tx, quotes: readonly StoredQuote[]): Promise<void> {
  if (quotes.length === 0) return;
  await tx.run(SAVE_QUOTES, [
    quotes.map((quote) => quote.billKey),
    quotes.map((quote) => quote.partnerId),
    quotes.map((quote) => quote.digestHex),
    quotes.map((quote) => quote.billVersion),
    quotes.map((quote) => quote.amount),
    quotes.map((quote) => quote.feeAmount),
    quotes.map((quote) => quote.bit61),
    quotes.map((quote) => quote.bodyWidth),
    quotes.map((quote) => Math.floor(quote.quotedAtMs)),
    quotes.map((quote) => Math.floor(quote.honouredUntilMs)),
  ]);
}
