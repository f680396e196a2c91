import type { Knex } from "knex";

/**
 * An account for what was collected on bills that merchants have made through us: we owe it to them, while
 * `bill-collections` is the biller's own. Which of the two a product's collections go to is part of its definition.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    insert into account (account_code, name, normal_side)
    values ('merchant-payable', 'Merchant payable', 'credit')
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`delete from account where account_code = 'merchant-payable'`);
}
