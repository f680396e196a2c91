import type { Statement, Tx } from "../platform";

/** One request as it was seen, secrets and personal data already masked. Durations in milliseconds. */
export interface Attempt {
  readonly attemptId: string;
  readonly receivedAtMs: number;
  readonly partnerId: number | null;
  readonly transactionType: string | null;
  readonly productCode: string | null;
  readonly traxId: string | null;
  readonly outcome: string;
  readonly resultCode: string;
  readonly httpStatus: number;
  readonly isReplay: boolean;
  /** False when the caller had gone before the answer was handed to the operating system. */
  readonly isDelivered: boolean;
  readonly durationMs: number;
  readonly sourceAddress: string | null;
  /** JSON of the fields that are kept. */
  readonly request: string | null;
  /** The same; null for a repeat: its reply is the original's. */
  readonly reply: string | null;
  readonly note: string | null;
}

const INSERT_ATTEMPTS: Statement = {
  name: "store_insert_attempts",
  isWrite: true,
  text: `
    insert into attempt (attempt_id, received_at, partner_id, transaction_type, product_code, trax_id, outcome,
                         result_code, http_status, is_replay, is_delivered, duration_ms, source_address, request, reply,
                         note)
    select attempt_id, to_timestamp(received_at_ms / 1000.0), partner_id, transaction_type, product_code, trax_id,
           outcome, result_code, http_status, is_replay, is_delivered, duration_ms, source_address,
           nullif(request, '')::jsonb, nullif(reply, '')::jsonb, note
      from unnest($1::uuid[], $2::bigint[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                  $9::smallint[], $10::boolean[], $11::boolean[], $12::int[], $13::text[],
                  string_to_array($14::text, chr(30)), string_to_array($15::text, chr(30)), $16::text[])
           as i(attempt_id, received_at_ms, partner_id, transaction_type, product_code, trax_id, outcome, result_code,
                http_status, is_replay, is_delivered, duration_ms, source_address, request, reply, note)
    on conflict do nothing`,
};

const DROP_EXPIRED: Statement = {
  name: "store_drop_expired_attempts",
  isWrite: true,
  text: `select drop_expired_attempts($1::int) as dropped`,
};

/**
 * Drops whole months of attempts, older than so many months; returns the partitions that went. The service cannot delete
 * a single attempt; this is a function of the owner.
 *
 * @param monthsToKeep at least 3, beside the present month
 */
export async function dropExpiredAttempts(tx: Tx, monthsToKeep: number): Promise<readonly string[]> {
  const [row] = await tx.run<{ dropped: string[] }>(DROP_EXPIRED, [monthsToKeep]);
  return row?.dropped ?? [];
}

/** Appends attempts; writing the same ones again changes nothing. */
export async function insertAttempts(tx: Tx, attempts: readonly Attempt[]): Promise<void> {
  if (attempts.length === 0) return;
  await tx.run(INSERT_ATTEMPTS, [
    attempts.map((attempt) => attempt.attemptId),
    attempts.map((attempt) => Math.floor(attempt.receivedAtMs)),
    attempts.map((attempt) => attempt.partnerId),
    attempts.map((attempt) => attempt.transactionType),
    attempts.map((attempt) => attempt.productCode),
    attempts.map((attempt) => attempt.traxId),
    attempts.map((attempt) => attempt.outcome),
    attempts.map((attempt) => attempt.resultCode),
    attempts.map((attempt) => attempt.httpStatus),
    attempts.map((attempt) => attempt.isReplay),
    attempts.map((attempt) => attempt.isDelivered),
    attempts.map((attempt) => Math.round(attempt.durationMs)),
    attempts.map((attempt) => attempt.sourceAddress),
    attempts.map((attempt) => attempt.request),
    attempts.map((attempt) => attempt.reply),
    attempts.map((attempt) => attempt.note),
  ]);
}
