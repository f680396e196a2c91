import type { Knex } from "knex";

/**
 * Sums of postings, so that a balance as of an instant does not read every posting.
 *
 * - `posting_total` has one row for each business date, hour of happening, hour of recording and account. An instant cuts
 *   hours in two: what lies in the cut hour, and what is not in the totals yet, is summed from the postings themselves.
 *   Whatever is recorded late gets a row of its own, so that both times stay right.
 * - `posting_total_state.block_no`: the totals hold the entries of the blocks up to there. The sealer adds each block once,
 *   in the order of the chain and in the transaction that moves the number; a payment writes nothing here. A ledger that was
 *   sealed before is added block by block after the migration.
 * - The totals are a convenience and no evidence: `biller ledger verify` computes them anew and names the wrong ones, and
 *   balances can be asked for without them.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table posting_total (
      business_date date not null,
      happened_hour timestamptz not null,
      recorded_hour timestamptz not null,
      account_code  text not null,
      debits        bigint not null,
      credits       bigint not null,
      postings      bigint not null,
      constraint posting_total_pkey primary key (happened_hour, recorded_hour, business_date, account_code),
      constraint posting_total_not_negative check (debits >= 0 and credits >= 0 and postings > 0)
    ) with (fillfactor = 70);
    create table posting_total_state (
      only_row boolean not null default true,
      block_no bigint not null default 0,
      constraint posting_total_state_pkey primary key (only_row),
      constraint posting_total_state_one_row check (only_row)
    );
    insert into posting_total_state default values;
  `);
  for (const table of ["posting_total", "posting_total_state"]) {
    await knex.raw(`
      create trigger ${table}_no_delete before delete on ${table} for each row execute function refuse_change();
      create trigger ${table}_no_truncate before truncate on ${table} for each statement execute function refuse_change();
      grant select on ${table} to biller_app, biller_auditor;
    `);
  }
  await knex.raw(`
    grant insert, update (debits, credits, postings) on posting_total to biller_app;
    grant update (block_no) on posting_total_state to biller_app;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`drop table posting_total_state, posting_total`);
}
