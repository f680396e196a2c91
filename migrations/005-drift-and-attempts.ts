import type { Knex } from "knex";

/**
 * What is remembered about how partners speak, and more of every attempt.
 *
 * - `drift` counts deviations from a partner's dialect that were understood all the same: one row for each partner, field
 *   and kind, written in the background.
 * - `attempt` gets the reply beside the request, both masked by the partner's rules.
 * - `trax` gets a small block-range index over the time of recording: after a crash, attempts that were still in memory are
 *   written again from it. Block ranges cost a payment next to nothing, where a tree would cost a page per row.
 * - Months of attempts that are older than the retention setting are dropped whole. The service may ask for it through a
 *   function; it can still not delete a single attempt.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table drift (
      partner_id    integer not null,
      field         text not null,
      kind          text not null,
      seen_count    bigint not null,
      first_seen_at timestamptz not null,
      last_seen_at  timestamptz not null,
      constraint drift_pkey primary key (partner_id, field, kind),
      constraint drift_partner_fkey foreign key (partner_id) references partner (partner_id),
      constraint drift_seen_count_positive check (seen_count > 0)
    );
    grant select, insert, update on drift to biller_app;
    grant select on drift to biller_auditor;

    alter table attempt add column reply jsonb;
    create index trax_recorded_idx on trax using brin (recorded_at) with (pages_per_range = 16, autosummarize = on);

    create function drop_expired_attempts(months_to_keep integer)
    returns text[]
    language plpgsql security definer set search_path = pg_catalog, public as $$
    declare
      oldest_kept date := date_trunc('month', (now() at time zone 'Asia/Jakarta')::date) - make_interval(months => months_to_keep);
      child text;
      dropped text[] := '{}';
    begin
      if months_to_keep is null or months_to_keep < 3 then
        raise exception 'at least 3 months of attempts are kept, not %', months_to_keep;
      end if;
      perform pg_advisory_xact_lock(hashtext('biller:ensure_month_partitions'));
      for child in
        select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
         where i.inhparent = 'public.attempt'::regclass and c.relname ~ '^attempt_y[0-9]{4}m[0-9]{2}$'
           and to_date(substring(c.relname from '[0-9]{4}m[0-9]{2}$'), 'YYYY"m"MM') < oldest_kept
         order by c.relname
      loop
        execute format('drop table public.%I', child);
        dropped := dropped || child;
      end loop;
      return dropped;
    end $$;
    revoke all on function drop_expired_attempts(integer) from public;
    grant execute on function drop_expired_attempts(integer) to biller_app;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop function drop_expired_attempts(integer);
    drop index trax_recorded_idx;
    alter table attempt drop column reply;
    drop table drift;
  `);
}
