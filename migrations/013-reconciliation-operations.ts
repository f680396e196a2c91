import type { Knex } from "knex";

/**
 * What people do about settlement: exceptions worked on by two, money on its way to the bank, and closed days.
 *
 * - `exception_handling` holds who has an exception and until when it was carried; `exception_event` is its history.
 *   Both are about findings of a reconciliation and about rows of `exception` alike: an item is named by its identifier.
 * - `exception_proposal` is an action that moves money, made by one and decided by another: the constraint
 *   `exception_proposal_two_people` holds whatever a program believes. One proposal is open for an item at a time.
 * - `settlement_posting` says what a journal entry of kind `settlement` moved: off *due from switch*, into *bank in
 *   transit*, and the rest to an account. What people asked for is only taken with an approved proposal (trigger), so
 *   that no such row can come to be without two names. `settlement_line_posting` names the posting of each line, at most
 *   one; `settlement_posting_origin` the business dates of the payments, which ageing is counted from.
 * - `day_close` holds the bytes of a closed business date. Nothing about a closed date is computed but as of `as_of`.
 * - A file whose lines are posted can no longer be replaced.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    insert into account (account_code, name, normal_side) values
      ('bank',                  'Bank',                   'debit'),
      ('settlement-difference', 'Settlement differences', 'debit'),
      ('written-off',           'Written off',            'debit'),
      ('refund-payable',        'Refunds payable',        'credit');

    create table exception_due_rule (
      version    integer not null,
      definition jsonb not null,
      made_by    text not null,
      made_at    timestamptz not null default clock_timestamp(),
      constraint exception_due_rule_pkey primary key (version),
      constraint exception_due_rule_version_positive check (version > 0)
    );

    create table exception_handling (
      item_id    uuid not null,
      owner      text,
      carried_to date,
      constraint exception_handling_pkey primary key (item_id)
    );

    create table exception_event (
      event_id bigint generated always as identity,
      item_id  uuid not null,
      kind     text not null,
      actor    text not null,
      via      text not null,
      detail   text not null,
      at       timestamptz not null default clock_timestamp(),
      constraint exception_event_pkey primary key (event_id),
      constraint exception_event_kind check (kind in
        ('note', 'assigned', 'carried', 'closed', 'proposed', 'approved', 'refused', 'withdrawn')),
      constraint exception_event_detail_length check (char_length(detail) between 1 and 2000)
    );
    create index exception_event_item_idx on exception_event (item_id, event_id);

    create table exception_proposal (
      proposal_id     uuid not null,
      batch_id        uuid not null,
      item_kind       text not null,
      item_id         uuid not null,
      action          text not null,
      account_code    text,
      target_entry_id uuid,
      amount          bigint not null,
      facts           jsonb not null default '{}',
      reason          text not null,
      proposed_by     text not null,
      proposed_via    text not null,
      proposed_at     timestamptz not null default clock_timestamp(),
      decision        text,
      decided_by      text,
      decided_via     text,
      decided_at      timestamptz,
      decision_note   text,
      constraint exception_proposal_pkey primary key (proposal_id),
      constraint exception_proposal_item_kind check (item_kind in ('finding', 'exception', 'bank-credit')),
      constraint exception_proposal_action check (action in
        ('advise', 'reverse', 'accept', 'link', 'write-off', 'bank-credit')),
      constraint exception_proposal_account_fkey foreign key (account_code) references account (account_code),
      constraint exception_proposal_reason_length check (char_length(reason) between 3 and 500),
      constraint exception_proposal_names check (
        char_length(btrim(proposed_by)) between 1 and 100 and (decided_by is null or char_length(btrim(decided_by)) between 1 and 100)),
      constraint exception_proposal_decision check (decision in ('approved', 'refused', 'withdrawn')),
      constraint exception_proposal_decided check (
        (decision is null) = (decided_at is null) and (decision is null) = (decided_by is null)),
      constraint exception_proposal_two_people check (
        decision is null or (decision = 'withdrawn') = (lower(btrim(decided_by)) = lower(btrim(proposed_by))))
    );
    create unique index exception_proposal_open_key on exception_proposal (item_id) where decision is null;
    create index exception_proposal_batch_idx on exception_proposal (batch_id);
    comment on column exception_proposal.proposed_via is 'account and machine that the name was given from';

    create table settlement_posting (
      posting_no      integer generated by default as identity,
      kind            text not null,
      entry_id        uuid not null,
      business_date   date not null,
      profile_code    text,
      partner_id      integer not null,
      settlement_date date not null,
      file_id         integer,
      proposal_id     uuid,
      line_count      integer not null default 0,
      due_amount      bigint not null,
      transit_amount  bigint not null,
      account_code    text,
      account_amount  bigint not null,
      reference       text,
      posted_by       text not null,
      posted_at       timestamptz not null default clock_timestamp(),
      constraint settlement_posting_pkey primary key (posting_no),
      constraint settlement_posting_entry_key unique (entry_id),
      constraint settlement_posting_kind check (kind in ('file', 'resolution', 'bank-credit')),
      constraint settlement_posting_partner_fkey foreign key (partner_id) references partner (partner_id),
      constraint settlement_posting_file_fkey foreign key (file_id) references settlement_file (file_id),
      constraint settlement_posting_proposal_fkey foreign key (proposal_id) references exception_proposal (proposal_id),
      constraint settlement_posting_account_fkey foreign key (account_code) references account (account_code),
      constraint settlement_posting_adds_up check (transit_amount = due_amount + account_amount),
      constraint settlement_posting_account check ((account_code is null) = (account_amount = 0)),
      constraint settlement_posting_sides check (case kind
        when 'file' then account_amount = 0 and file_id is not null and proposal_id is null
        when 'bank-credit' then due_amount = 0 and account_code = 'bank' and reference is not null and proposal_id is not null
        else proposal_id is not null end)
    );
    create unique index settlement_posting_reference_key on settlement_posting (partner_id, reference)
      where kind = 'bank-credit';
    create unique index settlement_posting_proposal_key on settlement_posting (proposal_id) where proposal_id is not null;
    create index settlement_posting_file_idx on settlement_posting (file_id) where file_id is not null;
    comment on column settlement_posting.due_amount is 'whole rupiah taken off what the switch owes; negative: put back';
    comment on column settlement_posting.transit_amount is 'whole rupiah put on their way to the bank; negative: arrived, or taken back';
    comment on column settlement_posting.account_amount is 'whole rupiah credited to account_code; negative: debited';

    create table settlement_line_posting (
      file_id    integer not null,
      line_no    integer not null,
      posting_no integer not null,
      constraint settlement_line_posting_pkey primary key (file_id, line_no)
    );

    create table settlement_posting_origin (
      posting_no  integer not null,
      origin_date date not null,
      due_amount  bigint not null,
      constraint settlement_posting_origin_pkey primary key (posting_no, origin_date),
      constraint settlement_posting_origin_fkey foreign key (posting_no) references settlement_posting (posting_no)
    );

    create table day_close (
      business_date   date not null,
      as_of           timestamptz not null,
      body            text not null,
      sha256          bytea not null,
      previous_sha256 bytea,
      closed_by       text not null,
      closed_via      text not null,
      closed_at       timestamptz not null default clock_timestamp(),
      constraint day_close_pkey primary key (business_date),
      constraint day_close_digest check (sha256 = sha256(convert_to(body, 'UTF8')))
    );

    create function refuse_second_decision() returns trigger language plpgsql as $$
    begin
      if old.decision is not null or new.decision is null
         or to_jsonb(new) - '{decision,decided_by,decided_via,decided_at,decision_note}'::text[]
            <> to_jsonb(old) - '{decision,decided_by,decided_via,decided_at,decision_note}'::text[] then
        raise exception 'a proposal is decided once and never changed: UPDATE refused' using errcode = 'restrict_violation';
      end if;
      return new;
    end $$;
    create trigger exception_proposal_decided_once before update on exception_proposal
      for each row execute function refuse_second_decision();
    create trigger exception_proposal_no_delete before delete on exception_proposal
      for each row execute function refuse_change();
    create trigger exception_proposal_no_truncate before truncate on exception_proposal
      for each statement execute function refuse_change();

    create function refuse_unapproved_posting() returns trigger language plpgsql as $$
    begin
      if new.proposal_id is not null and not exists (
           select from public.exception_proposal p where p.proposal_id = new.proposal_id and p.decision = 'approved') then
        raise exception 'proposal % is not approved', new.proposal_id
          using errcode = 'check_violation', constraint = 'settlement_posting_approved';
      end if;
      return new;
    end $$;
    create trigger settlement_posting_approved before insert on settlement_posting
      for each row execute function refuse_unapproved_posting();

    create function refuse_replacing_posted_file() returns trigger language plpgsql as $$
    begin
      if exists (select from public.settlement_posting p where p.file_id = old.file_id) then
        raise exception 'lines of settlement file % are posted: it cannot be replaced', old.file_id
          using errcode = 'restrict_violation';
      end if;
      return new;
    end $$;
    create trigger settlement_file_posted_stays before update of superseded_by on settlement_file
      for each row execute function refuse_replacing_posted_file();

    grant select, insert on exception_due_rule, exception_handling, exception_event, exception_proposal, settlement_posting,
      settlement_line_posting, settlement_posting_origin, day_close to biller_app;
    grant update (owner, carried_to) on exception_handling to biller_app;
    grant update (decision, decided_by, decided_via, decided_at, decision_note) on exception_proposal to biller_app;
    grant usage on sequence settlement_posting_posting_no_seq to biller_app;
    grant select on exception_due_rule, exception_handling, exception_event, exception_proposal, settlement_posting,
      settlement_line_posting, settlement_posting_origin, day_close to biller_auditor;
  `);
  for (const table of APPEND_ONLY) {
    await knex.raw(`
      create trigger ${table}_append_only before update or delete on ${table} for each row execute function refuse_change();
      create trigger ${table}_no_truncate before truncate on ${table} for each statement execute function refuse_change();
    `);
  }
}

const APPEND_ONLY = [
  "exception_due_rule",
  "exception_event",
  "settlement_posting",
  "settlement_line_posting",
  "settlement_posting_origin",
  "day_close",
];

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop trigger settlement_file_posted_stays on settlement_file;
    drop table day_close, settlement_posting_origin, settlement_line_posting, settlement_posting, exception_proposal,
      exception_event, exception_handling, exception_due_rule;
    drop function refuse_replacing_posted_file(), refuse_unapproved_posting(), refuse_second_decision();
    delete from account where account_code in ('bank', 'settlement-difference', 'written-off', 'refund-payable');
  `);
}
