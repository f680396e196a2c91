import type { Knex } from "knex";

/**
 * What people do about settlement over HTTP.
 *
 * - A token may now let its holder work on settlement: `recon:read`, `recon:maker`, `recon:checker`. A token that may do
 *   more than read names the person who holds it (`person`), under which proposals and decisions are stored; so
 *   `exception_proposal_two_people` holds whichever way the two names come in. One person may hold several tokens, and a
 *   token has one person for good: only a revocation changes a row.
 * - `keyed_request` holds the answer to a request that came with an Idempotency-Key, written in the transaction of what the
 *   request did: the same request again gets the same answer, and nothing is done twice. Append-only.
 * - Lists of proposals come in pages, in the order of time: hence `exception_proposal_proposed_idx`.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table audit_token
      add column person text,
      drop constraint audit_token_scopes,
      add constraint audit_token_scopes check (
        cardinality(scopes) > 0 and scopes <@ array['ledger', 'payments', 'operations', 'export', 'personal', 'recon:read',
                                                    'recon:maker', 'recon:checker']),
      add constraint audit_token_person check (char_length(btrim(person)) between 1 and 100),
      add constraint audit_token_person_named check (
        person is not null or not scopes && array['recon:maker', 'recon:checker']);
    comment on column audit_token.person is 'who works with this token; null: it only reads';
    grant select (person) on audit_token to biller_auditor;

    create table keyed_request (
      person      text not null,
      request_key text not null,
      fingerprint bytea not null,
      http_status smallint not null,
      reply_body  text not null,
      made_at     timestamptz not null default clock_timestamp(),
      constraint keyed_request_pkey primary key (person, request_key),
      constraint keyed_request_key_length check (char_length(request_key) between 8 and 128),
      constraint keyed_request_fingerprint_length check (octet_length(fingerprint) = 32)
    );
    comment on column keyed_request.fingerprint is 'SHA-256 of address and body: the same key with another request is refused';
    create trigger keyed_request_append_only before update or delete on keyed_request
      for each row execute function refuse_change();
    create trigger keyed_request_no_truncate before truncate on keyed_request
      for each statement execute function refuse_change();
    grant select, insert on keyed_request to biller_app;
    grant select on keyed_request to biller_auditor;

    create index exception_proposal_proposed_idx on exception_proposal (proposed_at, proposal_id);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index exception_proposal_proposed_idx;
    drop table keyed_request;
    alter table audit_token
      drop constraint audit_token_person_named, drop constraint audit_token_person, drop constraint audit_token_scopes,
      drop column person,
      add constraint audit_token_scopes check (
        cardinality(scopes) > 0 and scopes <@ array['ledger', 'payments', 'operations', 'export', 'personal']) not valid;
  `);
}
