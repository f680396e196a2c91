import type { Knex } from "knex";

/**
 * `analyze_settlement_lines` lets an import tell the planner of its lines at once; only the owner may `analyze`. Until the
 * server does so by itself, a million lines are taken for a few, and are neither hashed nor read by parallel workers.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create function analyze_settlement_lines() returns void language plpgsql security definer
      set search_path = pg_catalog, pg_temp as $$
    begin
      analyze public.settlement_line;
    end $$;
    revoke all on function analyze_settlement_lines() from public;
    grant execute on function analyze_settlement_lines() to biller_app;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`drop function analyze_settlement_lines()`);
}
