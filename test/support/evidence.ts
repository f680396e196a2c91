import type { TestDatabase } from "./services";

/** A row in every table that is evidence beside the books, written half an hour ago by a superuser, as if the host had done so. */
export async function fillEvidence(database: TestDatabase): Promise<void> {
  const at = "now() - interval '30 minutes'";
  const id = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`;
  await database.query(`
    begin;
    set local session_replication_role = replica;
    insert into settlement_profile (profile_code, version, definition, created_at) values ('p', 1, '{"a": 1}', ${at});
    insert into settlement_file (file_id, profile_code, profile_version, partner_id, file_name, version, content_sha256, byte_count,
                                 settlement_date, product_codes, line_count, bad_line_count, amount_total, fee_total, imported_by,
                                 imported_at)
    values (1, 'p', 1, 1, 'day.csv', 1, sha256('x'), 10, '2026-11-01', '{001001}', 2, 1, 30000, 0, 'ani (cli:ani@host)', ${at});
    insert into settlement_line (file_id, line_no, trax_id, amount, fee_amount, business_date, status, fault, raw)
    values (1, 2, 'NONE', 30000, 0, '2026-11-01', 'paid', null, null), (1, 3, null, null, null, null, null, 'no amount', 'x;y');
    insert into reconciliation_run (run_id, profile_code, profile_version, rules, settlement_date, started_by, started_at,
                                    finished_at, summary)
    values (1, 'p', 1, '[]', '2026-11-01', 'ani (cli:ani@host)', ${at}, ${at}, '{"matched": 0}');
    insert into reconciliation_finding (finding_id, item_id, run_id, profile_code, business_date, file_id, line_no, class, amount, difference,
                                        fee_difference, differing_fields, tried, found_at, resolved_at)
    values ('${id(1)}', '${id(1)}', 1, 'p', '2026-11-01', 1, 2, 'missing-here', 30000, 30000, 0, '{}', '[]', ${at}, ${at});
    insert into exception (exception_id, kind, bill_key, partner_id, trax_id, amount, detail, opened_at, closed_at, closed_because)
    values ('${id(2)}', 'look-alike', '001001:1', 1, 'T', 30000, 'twice', ${at}, ${at}, 'the customer wanted that');
    insert into exception_event (item_id, kind, actor, via, detail, at)
    values ('${id(2)}', 'assigned', 'ani', 'cli:ani@host', 'to budi', ${at}),
           ('${id(2)}', 'carried', 'ani', 'cli:ani@host', 'to 2026-11-03: monday', ${at});
    insert into exception_handling (item_id, owner, carried_to) values ('${id(2)}', 'budi', '2026-11-03');
    insert into exception_proposal (proposal_id, batch_id, item_kind, item_id, action, amount, reason, proposed_by, proposed_via,
                                    proposed_at, decision, decided_by, decided_via, decided_at)
    values ('${id(3)}', '${id(3)}', 'exception', '${id(2)}', 'accept', 30000, 'agreed', 'ani', 'cli:ani@host', ${at},
            'approved', 'budi', 'cli:budi@host', ${at});
    insert into exception_due_rule (version, definition, made_by, made_at) values (1, '{"suspense": 1}', 'ani', ${at});
    insert into journal_entry (entry_id, bill_key, business_date, kind, partner_id, trax_id, product_code, bill_number, amount,
                               fee_amount, channel, happened_at)
    values ('${id(4)}', 'settlement:file 1', '2026-11-02', 'settlement', 1, 'file 1', '', '', 30000, 0, 'ops', ${at});
    insert into posting (entry_id, line_no, bill_key, business_date, account_code, side, amount)
    values ('${id(4)}', 1, 'settlement:file 1', '2026-11-02', 'bank-in-transit', 'debit', 30000),
           ('${id(4)}', 2, 'settlement:file 1', '2026-11-02', 'due-from-switch', 'credit', 30000);
    insert into journal_entry (entry_id, bill_key, business_date, kind, partner_id, trax_id, product_code, bill_number, amount,
                               fee_amount, channel, happened_at)
    values ('${id(8)}', '001001:9', '2026-11-01', 'payment', 1, 'T9', '001001', '9', 30000, 0, '6017', ${at});
    insert into posting (entry_id, line_no, bill_key, business_date, account_code, side, amount)
    values ('${id(8)}', 1, '001001:9', '2026-11-01', 'due-from-switch', 'debit', 30000),
           ('${id(8)}', 2, '001001:9', '2026-11-01', 'bill-collections', 'credit', 30000);
    insert into trax (partner_id, trax_id, family, fingerprint, product_code, bill_number, bill_key, amount, fee_amount, channel,
                      outcome, result_code, sys_code, reply_body, entry_id, business_date, received_at)
    values (1, 'T9', 'payment', '\\x01'::bytea || sha256('9'), '001001', '9', '001001:9', 30000, 0, '6017', 'APPROVED', '00', '1',
            '{}', '${id(8)}', '2026-11-01', ${at});
    insert into receivable_clearing (entry_id, version, bill_key, entry_date, partner_id, kind, amount, opened, settled, reversed,
                                     written_off, accepted, recovered, excess, by_entry_id, by_entry_date)
    values ('${id(8)}', 1, '001001:9', '2026-11-01', 1, 'settled', 30000, 30000, 30000, 0, 0, 0, 0, 0, '${id(4)}', '2026-11-02');
    insert into settlement_posting (posting_no, kind, entry_id, business_date, profile_code, partner_id, settlement_date, file_id,
                                    line_count, due_amount, transit_amount, account_amount, posted_by, posted_at)
    values (1, 'file', '${id(4)}', '2026-11-02', 'p', 1, '2026-11-01', 1, 1, 30000, 30000, 0, 'ani', ${at});
    insert into settlement_line_posting (file_id, line_no, posting_no) values (1, 2, 1);
    insert into day_close (business_date, as_of, body, sha256, closed_by, closed_via, closed_at)
    values ('2026-11-01', ${at}, '{}', sha256('{}'), 'ani', 'cli:ani@host', ${at});
    insert into day_reopening (business_date, version, proposal_id, reason, proposed_by, approved_by, reopened_at)
    values ('2026-11-01', 1, '${id(3)}', 'a late file', 'ani', 'budi', ${at});
    insert into settlement_expectation (profile_code, partner_id, version, valid_from, is_expected, days, due_days, due_time,
                                        set_by, set_via, set_at)
    values ('p', 1, 1, '2026-11-01', true, 'weekdays', 1, '09:00', 'ani', 'cli:ani@host', ${at});
    insert into keyed_request (person, request_key, fingerprint, http_status, reply_body, made_at)
    values ('ani', 'key: 1234', sha256('x'), 200, '{"ok": true}', ${at});
    insert into audit_token (token_id, name, token_hash, scopes, created_by, created_at, expires_at, revoked_at, revoked_by)
    values ('${id(5)}', 'auditor', sha256('t'), '{ledger}', 'ani', ${at}, now() + interval '1 day', ${at}, 'budi');
    insert into audit_read (read_id, read_at, token_id, token_name, route, filter, http_status, row_count, duration_ms,
                            source_address, recorded_at)
    values ('${id(6)}', ${at}, '${id(5)}', 'auditor', '/payments', '{"bill": "1"}', 200, 3, 12, '10.0.0.1', ${at});
    insert into attempt (attempt_id, received_at, partner_id, trax_id, outcome, result_code, http_status, is_replay, is_delivered,
                         duration_ms, request, recorded_at)
    select gen_random_uuid(), ${at}, 1, 'T' || n, 'APPROVED', '00', 200, false, true, 3, '{"amount": "1"}', ${at}
      from generate_series(1, 3) n;
    insert into callback_attempt (event_id, attempt_no, attempted_at, duration_ms, http_status)
    values ('${id(7)}', 1, ${at}, 10, 200);
    insert into forgotten_reply (action_id, partner_id, trax_id, family, sha256_before, sha256_after, happened_at)
    values ('${id(8)}', 1, 'T:1', 'payment', sha256('a'), sha256('b'), ${at});
    update partner_credential set created_at = ${at}, retired_at = ${at};
    insert into merchant (service_id, name, user_name, callback_url, requires_hmac)
    values ('90001', 'Kopi', 'kopi', 'http://127.0.0.1:1/', false);
    insert into merchant_credential (credential_id, merchant_id, kind, key_id, nonce, ciphertext, created_at, retired_at)
    select '${id(9)}', merchant_id, 'password', 'k', decode(repeat('00', 12), 'hex'), decode(repeat('00', 20), 'hex'), ${at}, ${at}
      from merchant limit 1;
    commit`);
}

/** An edit of a row of evidence, as a superuser would make it, and what verifying has to name. */
export interface EvidenceEdit {
  readonly name: string;
  readonly sql: string;
  readonly row: RegExp;
}

const edit = (table: string, change: string, row: RegExp, where = "true"): EvidenceEdit => ({
  name: `${table}: ${change}`,
  sql: `update ${table} set ${change} where ${where}`,
  row,
});
const lose = (table: string, row: RegExp): EvidenceEdit => ({
  name: `${table}: deleted`,
  sql: `delete from ${table}`,
  row,
});
const add = (table: string, columns: string, values: string, row: RegExp): EvidenceEdit => ({
  name: `${table}: a row put in`,
  sql: `insert into ${table} (${columns}) select ${values} from ${table} limit 1`,
  row,
});
const PAST = "now() - interval '2 hours'";

/** For every table that docs/AUDIT.md calls evidence: changed, taken out, and put in. */
export const EVIDENCE_EDITS: readonly EvidenceEdit[] = [
  edit("exception", "amount = amount + 1", /^exception 0/),
  edit("exception", "closed_because = 'nothing'", /^exception, closed: /),
  edit("exception", "closed_at = null, closed_because = null", /^exception, closed: /),
  lose("exception", /^exception 0/),
  edit("exception_event", "actor = 'nobody'", /^exception_event \d/),
  lose("exception_event", /^exception_event \d/),
  add(
    "exception_event",
    "item_id, kind, actor, via, detail, at",
    `item_id, 'note', 'x', 'x', 'x', ${PAST}`,
    /^exception_event \d/,
  ),
  edit("exception_handling", "owner = 'nobody'", /^exception_handling /),
  edit("exception_proposal", "reason = 'none'", /^exception_proposal 0/),
  edit("exception_proposal", "decided_by = 'citra'", /^exception_proposal, decided: /),
  lose("exception_proposal", /^exception_proposal 0/),
  edit("exception_due_rule", `definition = '{"suspense": 9}'`, /^exception_due_rule 1/),
  edit("settlement_profile", `definition = '{"a": 2}'`, /^settlement_profile p:1/),
  edit("settlement_file", "amount_total = 1", /^settlement_file or its settlement_line rows, 1/),
  edit("settlement_line", "amount = amount + 1", /^settlement_file or its settlement_line rows, 1/, "line_no = 2"),
  add(
    "settlement_line",
    "file_id, line_no, fault, raw",
    "1, 99, 'x', 'x'",
    /^settlement_file or its settlement_line rows, 1/,
  ),
  add("settlement_line", "file_id, line_no, fault, raw", "77, 1, 'x', 'x'", /^settlement_line \(file 77, line 1\)/),
  edit("reconciliation_run", `summary = '{"matched": 9}'`, /^reconciliation_run 1/),
  edit("reconciliation_finding", "difference = 0", /^reconciliation_finding 0/),
  edit("reconciliation_finding", "resolved_at = null", /^reconciliation_finding, resolved: /),
  edit("settlement_posting", "posted_by = 'nobody'", /^settlement_posting, its lines or its clearings, 1/),
  edit(
    "receivable_clearing",
    "kind = 'accepted', settled = 0, accepted = 30000",
    /^settlement_posting, its lines or its clearings, 1/,
  ),
  lose("receivable_clearing", /^settlement_posting, its lines or its clearings, 1/),
  edit("settlement_line_posting", "line_no = 3", /^settlement_posting, its lines or its clearings, 1/),
  edit("day_close", "closed_by = 'nobody'", /^day_close 2026-11-01/),
  edit("day_close", `body = '{"x":1}', sha256 = sha256('{"x":1}')`, /^day_close 2026-11-01/),
  edit("day_reopening", "reason = 'none'", /^day_reopening 2026-11-01/),
  lose("day_reopening", /^day_reopening 2026-11-01/),
  edit("settlement_expectation", "due_days = 9", /^settlement_expectation p/),
  edit("keyed_request", "reply_body = '{}'", /^keyed_request ani:key: 1234/),
  edit("audit_read", "row_count = 0", /^audit_read 0/),
  lose("audit_read", /^audit_read 0/),
  edit("audit_token", "expires_at = expires_at + interval '1 year'", /^audit_token 0/),
  edit("audit_token", "revoked_at = null, revoked_by = null", /^audit_token, revoked: /),
  edit("attempt", "outcome = 'BAD_AUTH'", /^attempt rows of one minute, /, "trax_id = 'T1'"),
  {
    name: "attempt: one deleted",
    sql: "delete from attempt where trax_id = 'T2'",
    row: /^attempt rows of one minute, /,
  },
  add(
    "attempt",
    "attempt_id, received_at, outcome, result_code, http_status, is_replay, is_delivered, duration_ms, recorded_at",
    `gen_random_uuid(), ${PAST}, 'APPROVED', '00', 200, false, true, 1, ${PAST}`,
    /^attempt rows of one minute, /,
  ),
  add(
    "attempt",
    "attempt_id, received_at, outcome, result_code, http_status, is_replay, is_delivered, duration_ms, recorded_at",
    `gen_random_uuid(), now(), 'APPROVED', '00', 200, false, true, 1, null`,
    /^attempt [0-9a-f]{8}-/,
  ),
  edit("callback_attempt", "http_status = 500", /^callback_attempt rows of one minute, /),
  edit("forgotten_reply", "sha256_after = sha256('c')", /^forgotten_reply 1:payment:/),
  edit("partner_credential", "created_at = created_at - interval '1 day'", /^partner_credential /),
  edit("partner_credential", "retired_at = null", /^partner_credential, retired: /),
  edit("merchant_credential", "retired_at = null", /^merchant_credential, retired: /),
  edit("account", "normal_side = 'credit'", /^account bank$/, "account_code = 'bank'"),
  edit("account", "name = 'Loss'", /^account written-off$/, "account_code = 'written-off'"),
  edit("bill", "paid_amount = 0", /^bill 001001:/, "paid_amount > 0"),
  edit("bill_item", "amount = amount + 1", /^bill 001001:/),
  add(
    "exception_due_rule",
    "version, definition, made_by, made_at",
    "2, '{}', 'x', now() + interval '1 year'",
    /^exception_due_rule 2/,
  ),
  add(
    "exception_due_rule",
    "version, definition, made_by, made_at",
    "2, '{}', 'x', 'infinity'",
    /^exception_due_rule 2/,
  ),
  add(
    "exception_due_rule",
    "version, definition, made_by, made_at",
    "2, '{}', 'x', '-infinity'",
    /^exception_due_rule 2/,
  ),
];
