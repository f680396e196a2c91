import type { Knex } from "knex";

/**
 * Settlement files that are known by what they are about, files that are expected, lines that cannot be read, and closed
 * days that two people open again.
 *
 * - `settlement_file` is known by its subject (profile, partner, business date, products) and name, no longer by its content
 *   alone: an empty file has the same bytes every day. The same content is current once for a subject; it may come back
 *   as a later version. A supplement (`supplement_of`) holds lines that another file of the same subject should have had.
 * - `settlement_expectation` says of which partner, product and profile a file is expected on which days, until when, and
 *   from which business date on. A change is a new version; the highest version that is valid on a date counts for it.
 * - `exception` takes two further kinds, which are about files: `missing-file` and `unreadable-line`. Lines of current files
 *   that could not be read are opened here.
 * - `exception_proposal` takes three further actions for two people: `not-a-payment`, `close-without-file`, `reopen-day`.
 * - `day_close` has versions. `day_reopening` says that a version counts no more, and why: both stay. Closed days follow one
 *   another without a gap; a trigger refuses a close or a reopening that would leave one. `closed_day` shows those that count.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table settlement_file
      add column supplement_of integer,
      drop constraint settlement_file_content_key,
      drop constraint settlement_file_name_key,
      add constraint settlement_file_version_key
        unique (profile_code, partner_id, settlement_date, product_codes, file_name, version),
      add constraint settlement_file_supplement_fkey foreign key (supplement_of) references settlement_file (file_id);
    drop index settlement_file_current_key;
    create unique index settlement_file_current_key
      on settlement_file (profile_code, partner_id, settlement_date, product_codes, file_name) where superseded_by is null;
    create unique index settlement_file_content_key
      on settlement_file (profile_code, partner_id, settlement_date, product_codes, content_sha256)
      where superseded_by is null;
    create index settlement_file_digest_idx on settlement_file (profile_code, content_sha256);
    create index settlement_file_supplement_idx on settlement_file (supplement_of) where supplement_of is not null;
    comment on column settlement_file.supplement_of is 'the file of the same subject whose lines this one corrects; null: none';

    create function refuse_wrong_supplement() returns trigger language plpgsql as $$
    begin
      if not exists (
           select from public.settlement_file f
            where f.file_id = new.supplement_of and f.superseded_by is null
              and (f.profile_code, f.partner_id, f.settlement_date, f.product_codes)
                  = (new.profile_code, new.partner_id, new.settlement_date, new.product_codes)) then
        raise exception 'file % is no current file of the same subject: it cannot be supplemented', new.supplement_of
          using errcode = 'check_violation', constraint = 'settlement_file_supplement';
      end if;
      return new;
    end $$;
    create trigger settlement_file_supplement before insert on settlement_file
      for each row when (new.supplement_of is not null) execute function refuse_wrong_supplement();

    create table settlement_expectation (
      profile_code text not null,
      partner_id   integer not null,
      product_code text not null default '',
      version      integer not null,
      valid_from   date not null,
      is_expected  boolean not null,
      days         text not null,
      except_dates date[] not null default '{}',
      also_dates   date[] not null default '{}',
      due_days     integer not null,
      due_time     time not null,
      set_by       text not null,
      set_via      text not null,
      set_at       timestamptz not null default clock_timestamp(),
      constraint settlement_expectation_pkey primary key (profile_code, partner_id, product_code, version),
      constraint settlement_expectation_partner_fkey foreign key (partner_id) references partner (partner_id),
      constraint settlement_expectation_version_positive check (version > 0),
      constraint settlement_expectation_days check (days in ('every-day', 'weekdays')),
      constraint settlement_expectation_due_days check (due_days between 0 and 31),
      constraint settlement_expectation_product_form check (product_code = '' or product_code ~ '^[0-9A-Za-z]{6}$')
    );
    comment on column settlement_expectation.product_code is 'empty: one file of whatever products';
    comment on column settlement_expectation.is_expected is 'false: none is expected from valid_from on';
    comment on column settlement_expectation.except_dates is 'business dates without a file, although the days say so';
    comment on column settlement_expectation.also_dates is 'business dates with a file, although the days do not say so';
    comment on column settlement_expectation.due_days is 'days after the business date; due_time of that day, Jakarta';

    alter table exception
      add column profile_code text,
      add column business_date date,
      add column file_id integer,
      add column line_no integer,
      add constraint exception_file_fkey foreign key (file_id) references settlement_file (file_id);
    create index exception_file_idx on exception (file_id, line_no) where file_id is not null;
    create index exception_business_date_idx on exception (business_date, kind) where business_date is not null;
    comment on column exception.business_date is 'of a file that is missing or has a line that cannot be read; null: the day it was opened on';

    create table day_reopening (
      business_date date not null,
      version       integer not null,
      proposal_id   uuid not null,
      reason        text not null,
      proposed_by   text not null,
      approved_by   text not null,
      reopened_at   timestamptz not null default clock_timestamp(),
      constraint day_reopening_pkey primary key (business_date, version),
      constraint day_reopening_proposal_fkey foreign key (proposal_id) references exception_proposal (proposal_id),
      constraint day_reopening_two_people check (lower(btrim(proposed_by)) <> lower(btrim(approved_by)))
    );
    alter table day_close
      add column version integer not null default 1,
      drop constraint day_close_pkey,
      add constraint day_close_pkey primary key (business_date, version),
      add constraint day_close_version_positive check (version > 0);
    alter table day_reopening
      add constraint day_reopening_close_fkey foreign key (business_date, version) references day_close (business_date, version);

    create view closed_day as
    select c.* from day_close c
     where not exists (select from day_reopening r where r.business_date = c.business_date and r.version = c.version);

    create function refuse_close_with_gap() returns trigger language plpgsql as $$
    begin
      if new.version <> (select coalesce(max(c.version), 0) + 1 from public.day_close c
                          where c.business_date = new.business_date)
         or exists (select from public.closed_day c where c.business_date >= new.business_date)
         or (exists (select from public.day_close)
             and not exists (select from public.closed_day c where c.business_date = new.business_date - 1)
             and new.business_date <> (select min(c.business_date) from public.day_close c)) then
        raise exception 'closed days follow one another: close of % version % refused', new.business_date, new.version
          using errcode = 'restrict_violation';
      end if;
      return new;
    end $$;
    create trigger day_close_follows before insert on day_close for each row execute function refuse_close_with_gap();

    create function refuse_reopening_within() returns trigger language plpgsql as $$
    begin
      if exists (select from public.closed_day c where c.business_date > new.business_date)
         or not exists (select from public.closed_day c
                         where c.business_date = new.business_date and c.version = new.version) then
        raise exception 'the last closed day is reopened first: reopening of % version % refused', new.business_date, new.version
          using errcode = 'restrict_violation';
      end if;
      if not exists (select from public.exception_proposal p
                      where p.proposal_id = new.proposal_id and p.decision = 'approved' and p.action = 'reopen-day') then
        raise exception 'proposal % is no approved reopening', new.proposal_id
          using errcode = 'check_violation', constraint = 'day_reopening_approved';
      end if;
      return new;
    end $$;
    create trigger day_reopening_last_first before insert on day_reopening
      for each row execute function refuse_reopening_within();

    grant select, insert on settlement_expectation, day_reopening to biller_app;
    grant select on settlement_expectation, day_reopening, closed_day to biller_auditor;
    grant select on closed_day to biller_app;
  `);
  for (const table of ["settlement_expectation", "day_reopening"]) {
    await knex.raw(`
      create trigger ${table}_append_only before update or delete on ${table} for each row execute function refuse_change();
      create trigger ${table}_no_truncate before truncate on ${table} for each statement execute function refuse_change();
    `);
  }
  await widen(knex, "exception", "exception_kind", "kind", FILE_KINDS);
  await widen(knex, "exception_proposal", "exception_proposal_item_kind", "item_kind", ["day"]);
  await widen(knex, "exception_proposal", "exception_proposal_action", "action", ACTIONS);
  await knex.raw(`
    alter table exception add constraint exception_about_file check (case
      when kind = 'missing-file' then profile_code is not null and business_date is not null and file_id is null
      when kind = 'unreadable-line'
      then profile_code is not null and business_date is not null and file_id is not null and line_no is not null
      else file_id is null and line_no is null end);

    insert into exception (exception_id, kind, bill_key, partner_id, trax_id, amount, detail, profile_code, business_date,
                           file_id, line_no)
    select gen_random_uuid(), 'unreadable-line', 'file:' || f.file_id || ':' || l.line_no, f.partner_id, '', 0,
           'line ' || l.line_no || ' of ' || f.file_name || ': ' || l.fault, f.profile_code, f.settlement_date, f.file_id,
           l.line_no
      from settlement_file f
      join settlement_line l on l.file_id = f.file_id and l.fault is not null
     where f.superseded_by is null and f.bad_line_count > 0;
  `);
}

const FILE_KINDS = ["missing-file", "unreadable-line"];
const ACTIONS = ["not-a-payment", "close-without-file", "reopen-day"];

/** Lets a column hold further values, beside those that its constraint allows by now. */
async function widen(knex: Knex, table: string, constraint: string, column: string, values: readonly string[]) {
  const found = await knex.raw<{ rows: { expression: string }[] }>(
    `select pg_get_expr(conbin, conrelid) as expression from pg_constraint where conname = ? and conrelid = ?::regclass`,
    [constraint, table],
  );
  const expression = found.rows[0]?.expression ?? "false";
  const list = values.map((value) => `'${value}'`).join(", ");
  await knex.raw(
    `alter table ${table} drop constraint if exists ${constraint},
       add constraint ${constraint} check ((${expression}) or ${column} in (${list}))`,
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop trigger day_close_follows on day_close;
    drop view closed_day;
    drop table day_reopening;
    drop function refuse_close_with_gap(), refuse_reopening_within();
    alter table day_close drop constraint day_close_pkey, drop column version, add constraint day_close_pkey primary key (business_date);
    alter table exception drop constraint exception_about_file, drop constraint exception_file_fkey,
      drop column profile_code, drop column business_date, drop column file_id, drop column line_no,
      drop constraint exception_kind,
      add constraint exception_kind check (kind in ('double-collection', 'suspense', 'refund', 'look-alike', 'divergence')) not valid;
    alter table exception_proposal
      drop constraint exception_proposal_item_kind, drop constraint exception_proposal_action,
      add constraint exception_proposal_item_kind check (item_kind in ('finding', 'exception', 'bank-credit')) not valid,
      add constraint exception_proposal_action check (action in
        ('advise', 'reverse', 'accept', 'link', 'write-off', 'bank-credit')) not valid;
    drop table settlement_expectation;
    drop trigger settlement_file_supplement on settlement_file;
    drop function refuse_wrong_supplement();
    drop index settlement_file_digest_idx, settlement_file_content_key, settlement_file_current_key;
    alter table settlement_file drop constraint settlement_file_version_key, drop column supplement_of,
      add constraint settlement_file_name_key unique (profile_code, file_name, version),
      add constraint settlement_file_content_key unique (profile_code, content_sha256);
    create unique index settlement_file_current_key on settlement_file (profile_code, file_name) where superseded_by is null;
  `);
}
