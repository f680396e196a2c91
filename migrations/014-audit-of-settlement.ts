import type { Knex } from "knex";

/**
 * What an auditor needs to find settlement lines by traxId or bill, and findings in the order of time. None of these tables
 * is written by a payment.
 *
 * - `settlement_line_search_idx` is a bloom filter for each 16 pages, some 1,300 lines, filled in the background: a file of
 *   a million lines is imported at the same speed as without it, which a tree over every traxId would not allow.
 * - `reconciliation_finding_found_idx` is a tree at whose right end runs append; plain matches have no finding.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create index settlement_line_search_idx on settlement_line using brin (
      trax_id text_bloom_ops (n_distinct_per_range = 1300, false_positive_rate = 0.001),
      bill_number text_bloom_ops (n_distinct_per_range = 1300, false_positive_rate = 0.001)
    ) with (pages_per_range = 16, autosummarize = on);
    create index reconciliation_finding_found_idx on reconciliation_finding (found_at, finding_id);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`drop index reconciliation_finding_found_idx, settlement_line_search_idx`);
}
