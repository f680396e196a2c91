import type { Knex } from "knex";

/**
 * Mails to customers go out through the outbox as well, as kinds of their own. They share its claims, retries and dead
 * letters, and are claimed apart from the callbacks. No column and no index is added: posting writes what it wrote before.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table outbox drop constraint outbox_kind;
    alter table outbox add constraint outbox_kind check (
      kind in ('payment.accepted', 'payment.reversed', 'bill.cancelled', 'email.bill', 'email.receipt'));
  `);
}

/** Mails that wait are given up: there would be nobody to send them. */
export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    delete from outbox where kind in ('email.bill', 'email.receipt');
    alter table outbox drop constraint outbox_kind;
    alter table outbox add constraint outbox_kind check (
      kind in ('payment.accepted', 'payment.reversed', 'bill.cancelled'));
  `);
}
