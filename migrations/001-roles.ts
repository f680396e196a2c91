import type { Knex } from "knex";

/**
 * The two roles that the product runs under, beside the owner that migrates.
 *
 * `biller_app` is what the service logs in as (or is a member of); `biller_auditor` only reads. They are separate from
 * the owner so that "append-only" is enforced by PostgreSQL itself: whoever holds the service's password still cannot
 * update, delete or truncate the books. A database administrator may create both beforehand; then this changes nothing.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    do $$
    declare wanted text;
    begin
      foreach wanted in array array['biller_app', 'biller_auditor'] loop
        if not exists (select from pg_roles where rolname = wanted) then
          begin
            execute format('create role %I nologin', wanted);
          exception
            when duplicate_object or unique_violation then null;
            when insufficient_privilege then
              raise exception 'role % does not exist and % may not create it', wanted, current_user
                using hint = format('Run once as an administrator: create role %I login password ''…'';', wanted);
          end;
        end if;
      end loop;
    end $$;
  `);
  await knex.raw(`grant usage on schema public to biller_app, biller_auditor`);
  // Readiness tells whether the schema is the one that the running build expects.
  await knex.raw(`grant select on schema_migration to biller_app, biller_auditor`);
}

/** Roles are shared by the whole cluster, so they stay. */
export async function down(knex: Knex): Promise<void> {
  await knex.raw(`revoke select on schema_migration from biller_app, biller_auditor`);
  await knex.raw(`revoke usage on schema public from biller_app, biller_auditor`);
}
