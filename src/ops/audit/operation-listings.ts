import { type Branch, type Listing, listingOf } from "./listing";
import { bounded, BY_TIME, fromTo, PARTNER_NAME } from "./listing-parts";

const ATTEMPT_FIELDS = `a.partner_id, a.transaction_type, a.product_code, a.trax_id, a.outcome, a.result_code, a.http_status,
  a.is_replay, a.is_delivered, a.duration_ms, a.source_address, a.note`;

/** Every request seen, those included that were refused or repeated. */
const attempts = listingOf({
  name: "attempts",
  scope: "payments",
  about: "Every request seen: also the refused and the repeated ones",
  key: BY_TIME,
  branches: [{ from: "attempt a", key: ["a.received_at", "a.attempt_id"], fields: ATTEMPT_FIELDS, ...bounded }],
  direct: {
    traxId: {
      from: "attempt a",
      where: "a.trax_id = ?",
      key: ["a.received_at", "a.attempt_id"],
      fields: ATTEMPT_FIELDS,
    },
  },
  columns: [
    ["attemptId", "text", "s.id::text"],
    ["receivedAt", "time", "s.at"],
    ["partner", "text", PARTNER_NAME],
    ["transactionType", "text", "s.transaction_type"],
    ["productCode", "text", "s.product_code"],
    ["traxId", "text", "s.trax_id"],
    ["outcome", "text", "s.outcome"],
    ["resultCode", "text", "s.result_code"],
    ["httpStatus", "number", "s.http_status"],
    ["isReplay", "boolean", "s.is_replay"],
    ["isDelivered", "boolean", "s.is_delivered"],
    ["durationMs", "number", "s.duration_ms"],
    ["sourceAddress", "text", "s.source_address"],
    ["note", "text", "s.note"],
  ],
  filters: {
    traxId: { kind: "traxId", about: "the switch's reference", sql: "s.trax_id = ?" },
    partner: {
      kind: "text",
      about: "userName of the partner",
      sql: "s.partner_id = (select p.partner_id from partner p where p.user_name = ?)",
    },
    product: { kind: "text", about: "productCode", sql: "s.product_code = ?" },
    outcome: { kind: "text", about: "outcome, for instance BAD_AUTH", sql: "s.outcome = ?" },
    replay: {
      kind: "choice",
      choices: ["true", "false"],
      about: "only repeats, or none",
      sql: "s.is_replay = ?::boolean",
    },
    delivered: {
      kind: "choice",
      choices: ["true", "false"],
      about: "whether the answer left us",
      sql: "s.is_delivered = ?::boolean",
    },
    ...fromTo("received"),
  },
});

const EXCEPTION_FIELDS = `x.kind, x.bill_key, x.partner_id, x.trax_id, x.other_trax_id, x.amount, x.detail, x.closed_at,
  x.closed_because`;
const EXCEPTION_KEY = ["x.opened_at", "x.exception_id"];

/** What people have had to look at. */
const exceptions = listingOf({
  name: "exceptions",
  scope: "payments",
  about: "What did not go as it should: open and closed",
  key: BY_TIME,
  branches: [{ from: "exception x", key: EXCEPTION_KEY, fields: EXCEPTION_FIELDS, ...bounded }],
  direct: { bill: { from: "exception x", where: "x.bill_key = ?", key: EXCEPTION_KEY, fields: EXCEPTION_FIELDS } },
  columns: [
    ["exceptionId", "text", "s.id::text"],
    ["kind", "text", "s.kind"],
    ["bill", "text", "s.bill_key"],
    ["partner", "text", PARTNER_NAME],
    ["traxId", "text", "s.trax_id"],
    ["otherTraxId", "text", "s.other_trax_id"],
    ["amount", "amount", "s.amount"],
    ["detail", "text", "s.detail"],
    ["openedAt", "time", "s.at"],
    ["closedAt", "time", "s.closed_at"],
    ["closedBecause", "text", "s.closed_because"],
  ],
  filters: {
    bill: { kind: "bill", about: "productCode:billNumber", sql: "s.bill_key = ?" },
    traxId: { kind: "traxId", about: "the switch's reference", sql: "s.trax_id = ?" },
    kind: { kind: "text", about: "kind, for instance double-collection", sql: "s.kind = ?" },
    state: {
      kind: "choice",
      choices: ["open", "closed"],
      about: "whether somebody still has to look at it",
      sql: "(case when s.closed_at is null then 'open' else 'closed' end) = ?",
    },
    ...fromTo("opened"),
  },
});

/** One branch of the changes of keys: what happened to credentials at a time that a column holds. */
function keyChange(from: string, at: string, id: string, what: string, whose: string, keyId: string): Branch {
  return {
    from,
    where: `${at} is not null`,
    key: [at, id],
    fields: `${what} as what, ${whose} as whose, ${keyId} as key_id`,
  };
}
const PARTNER_KEYS = "partner_credential c join partner p on p.partner_id = c.partner_id";
const MERCHANT_KEYS = "merchant_credential c join merchant m on m.merchant_id = c.merchant_id";

/** Passwords, signing secrets, the keys of seals and audit tokens: when each was made and withdrawn. Never what they are. */
const keyChanges = listingOf({
  name: "key-changes",
  scope: "operations",
  about: "When credentials, signing keys and audit tokens were made and withdrawn; never what they are",
  key: BY_TIME,
  branches: [
    keyChange(PARTNER_KEYS, "c.created_at", "c.credential_id", "'partner credential added'", "p.user_name", "c.key_id"),
    keyChange(
      PARTNER_KEYS,
      "c.retired_at",
      "c.credential_id",
      "'partner credential retired'",
      "p.user_name",
      "c.key_id",
    ),
    keyChange(
      MERCHANT_KEYS,
      "c.created_at",
      "c.credential_id",
      "'merchant ' || c.kind || ' added'",
      "m.service_id",
      "c.key_id",
    ),
    keyChange(
      MERCHANT_KEYS,
      "c.retired_at",
      "c.credential_id",
      "'merchant ' || c.kind || ' retired'",
      "m.service_id",
      "c.key_id",
    ),
    // A signing key has a name of its own and no number of ours.
    keyChange("seal_key k", "k.created_at", "md5(k.key_id)::uuid", "'signing key added'", "'ledger'", "k.key_id"),
    keyChange("audit_token t", "t.created_at", "t.token_id", "'audit token created'", "t.name", "null::text"),
    keyChange("audit_token t", "t.revoked_at", "t.token_id", "'audit token revoked'", "t.name", "null::text"),
  ],
  columns: [
    ["at", "time", "s.at"],
    ["what", "text", "s.what"],
    ["whose", "text", "s.whose"],
    ["credentialId", "text", "s.id::text"],
    ["keyId", "text", "s.key_id"],
  ],
  filters: {
    whose: { kind: "text", about: "userName, service id or token's name", sql: "s.whose = ?" },
    ...fromTo("changed"),
  },
});

/** What was asked through this very API, and by whom. */
const reads = listingOf({
  name: "reads",
  scope: "operations",
  about: "Every question that was asked here: by which token, with which filter, how many rows it got",
  key: BY_TIME,
  branches: [
    {
      from: "audit_read r",
      key: ["r.read_at", "r.read_id"],
      fields:
        "r.token_name, r.route, r.filter, r.http_status, r.row_count, r.duration_ms, r.source_address, r.note, r.export",
      ...bounded,
    },
  ],
  columns: [
    ["readId", "text", "s.id::text"],
    ["readAt", "time", "s.at"],
    ["token", "text", "s.token_name"],
    ["route", "text", "s.route"],
    ["filter", "json", "s.filter"],
    ["httpStatus", "number", "s.http_status"],
    ["rowCount", "amount", "s.row_count"],
    ["durationMs", "number", "s.duration_ms"],
    ["sourceAddress", "text", "s.source_address"],
    ["note", "text", "s.note"],
    ["export", "json", "s.export"],
  ],
  filters: {
    token: { kind: "text", about: "name of the token", sql: "s.token_name = ?" },
    route: { kind: "text", about: "address that was asked", sql: "s.route = ?" },
    ...fromTo("asked"),
  },
});

/** Who did what to partners, products, keys, exceptions and personal data. */
const operatorActions = listingOf({
  name: "operator-actions",
  scope: "operations",
  about: "Who did what to partners, products, keys, exceptions and personal data",
  key: BY_TIME,
  branches: [
    {
      from: "operator_action a",
      key: ["a.recorded_at", "a.action_id"],
      fields: "a.actor, a.action, a.object, a.before_hash, a.after_hash, a.detail",
      ...bounded,
    },
  ],
  columns: [
    ["actionId", "text", "s.id::text"],
    ["recordedAt", "time", "s.at"],
    ["actor", "text", "s.actor"],
    ["action", "text", "s.action"],
    ["object", "text", "s.object"],
    ["detail", "text", "s.detail"],
    ["beforeHash", "text", "encode(s.before_hash, 'hex')"],
    ["afterHash", "text", "encode(s.after_hash, 'hex')"],
  ],
  filters: {
    actor: { kind: "text", about: "who", sql: "s.actor = ?" },
    action: { kind: "text", about: "what was done, for instance retention.forget", sql: "s.action = ?" },
    object: { kind: "text", about: "to what", sql: "s.object = ?" },
    ...fromTo("recorded"),
  },
});

/** The listings of what happened around the books. */
export const OPERATION_LISTINGS: readonly Listing[] = [attempts, exceptions, keyChanges, reads, operatorActions];
