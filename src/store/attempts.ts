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
  readonly request: Readonly<Record<string, unknown>> | null;
  readonly note: string | null;
}

const INSERT_ATTEMPTS: Statement = {
  name: "store_insert_attempts",
  isWrite: true,
  text: `
    insert into attempt (attempt_id, received_at, partner_id, transaction_type, product_code, trax_id, outcome,
                         result_code, http_status, is_replay, is_delivered, duration_ms, source_address, request, note)
    select attempt_id, to_timestamp(received_at_ms / 1000.0), partner_id, transaction_type, product_code, trax_id,
           outcome, result_code, http_status, is_replay, is_delivered, duration_ms, source_address, request, note
      from unnest($1::uuid[], $2::bigint[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                  $9::smallint[], $10::boolean[], $11::boolean[], $12::int[], $13::text[], $14::jsonb[], $15::text[])
           as i(attempt_id, received_at_ms, partner_id, transaction_type, product_code, trax_id, outcome, result_code,
                http_status, is_replay, is_delivered, duration_ms, source_address, request, note)
    on conflict do nothing`,
};

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
    attempts.map((attempt) => (attempt.request === null ? null : JSON.stringify(attempt.request))),
    attempts.map((attempt) => attempt.note),
  ]);
}
