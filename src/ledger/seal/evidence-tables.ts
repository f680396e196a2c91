import type { EvidenceMinutes, EvidenceTable } from "./evidence";
import { SETTLEMENT_EVIDENCE } from "./evidence-settlement";

/**
 * Every table that is evidence, beside the books (journal_entry, posting, trax, operator_action), which have forms of their
 * own. A new table is one entry here, one in `RESERVED_COLUMNS`, and `reserve_columns` in its migration; docs/AUDIT.md,
 * "Another table".
 */
export const EVIDENCE: readonly EvidenceTable[] = [
  ...SETTLEMENT_EVIDENCE,
  {
    kind: "keyed-request",
    table: "keyed_request",
    key: { person: "text", request_key: "text" },
    time: "made_at",
    columns: { fingerprint: "bytes", http_status: "text" },
    personal: ["reply_body"],
  },
  {
    kind: "audit-read",
    table: "audit_read",
    key: { read_id: "uuid" },
    time: "recorded_at",
    columns: {
      read_at: "time",
      token_id: "text",
      token_name: "text",
      route: "text",
      http_status: "text",
      row_count: "text",
      duration_ms: "text",
    },
    personal: ["filter", "source_address", "note", "export"],
  },
  {
    kind: "audit-token",
    table: "audit_token",
    key: { token_id: "uuid" },
    time: "created_at",
    columns: {
      name: "text",
      token_hash: "bytes",
      scopes: "list",
      created_by: "text",
      expires_at: "time",
      person: "text",
    },
  },
  {
    kind: "audit-token-revoked",
    table: "audit_token",
    called: "audit_token, revoked:",
    key: { token_id: "uuid" },
    time: "revoked_at",
    where: "r.revoked_at is not null",
    columns: { revoked_by: "text" },
  },
  {
    kind: "partner-credential",
    table: "partner_credential",
    key: { credential_id: "uuid" },
    time: "created_at",
    columns: { partner_id: "text" },
  },
  {
    kind: "partner-credential-retired",
    table: "partner_credential",
    called: "partner_credential, retired:",
    key: { credential_id: "uuid" },
    time: "retired_at",
    where: "r.retired_at <= clock_timestamp()",
    columns: {},
  },
  {
    kind: "merchant-credential",
    table: "merchant_credential",
    key: { credential_id: "uuid" },
    time: "created_at",
    columns: { merchant_id: "text", kind: "text" },
  },
  {
    kind: "merchant-credential-retired",
    table: "merchant_credential",
    called: "merchant_credential, retired:",
    key: { credential_id: "uuid" },
    time: "retired_at",
    where: "r.retired_at <= clock_timestamp()",
    columns: {},
  },
  {
    kind: "forgotten-reply",
    table: "forgotten_reply",
    key: { partner_id: "bigint", family: "text", action_id: "uuid", trax_id: "text" },
    time: "happened_at",
    columns: { sha256_before: "bytes", sha256_after: "bytes" },
  },
];

/** Tables that grow with every request: a leaf for each minute. */
export const EVIDENCE_MINUTES: readonly EvidenceMinutes[] = [
  {
    kind: "attempts",
    table: "attempt",
    time: "recorded_at",
    key: ["attempt_id", "received_at"],
    columns: {
      attempt_id: "text",
      received_at: "time",
      partner_id: "text",
      transaction_type: "text",
      product_code: "text",
      trax_id: "text",
      outcome: "text",
      result_code: "text",
      http_status: "text",
      is_replay: "text",
      is_delivered: "text",
      duration_ms: "text",
      source_address: "text",
      request: "json",
      reply: "json",
      note: "text",
      recorded_at: "time",
    },
    monthOf: "received_at",
  },
  {
    kind: "callback-attempts",
    table: "callback_attempt",
    time: "attempted_at",
    key: ["event_id", "attempt_no"],
    columns: {
      event_id: "text",
      attempt_no: "text",
      attempted_at: "time",
      duration_ms: "text",
      http_status: "text",
      fault: "text",
    },
  },
];
