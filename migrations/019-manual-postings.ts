import type { Knex } from "knex";

/**
 * What operators post or take back has keys of its own: the families `manual-payment` and `manual-reversal` of `trax`. The
 * switch's own message for the same traxId is judged by them and answered with bytes of its own, under its own key.
 *
 * - `trax_payment_key`: of the switch's message and the operators' posting of one traxId, one is stored. Both insert into
 *   this index, so that PostgreSQL makes the second wait for the first and then refuses it, whatever each of them had read.
 *   It holds payments, declines and tombstones alike: what was declined is not posted by hand, and the other way round.
 * - `answers_manual`: the row is what the switch's message was answered about a payment that operators had posted. It moves
 *   no money and names the operators' entry; `refuse_foreign_answer` lets it name no other. So two families never carry two
 *   different payment entries of one traxId.
 * - `trax_reversal_key`: of the switch's reversal and the operators' of one traxId, one has an entry. Only reversals with an
 *   entry are in it.
 *
 * Rows written by hand before (family `payment` or `reversal`, channel `0000`, terminal `BYHAND` in the reply) stay as they
 * are, and their stored reply is still what a repeat gets. Building the index over payments reads `trax` once and keeps
 * payments waiting meanwhile: a second or two for each million rows.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table trax
      add column answers_manual boolean not null default false,
      drop constraint trax_family,
      drop constraint trax_entry_when_approved,
      add constraint trax_family check (family in ('payment', 'reversal', 'manual-payment', 'manual-reversal')),
      add constraint trax_entry_when_approved
        check (family = 'reversal' or (outcome = 'APPROVED') = (entry_id is not null)),
      add constraint trax_manual_is_approved check (family not like 'manual-%' or outcome = 'APPROVED'),
      add constraint trax_answers_manual check (not answers_manual or (family = 'payment' and outcome = 'APPROVED'));
    comment on column trax.answers_manual is
      'the switch''s message about a payment that operators had posted: an answer, no money; entry_id is theirs';

    create unique index trax_payment_key on trax (partner_id, trax_id)
      where family in ('payment', 'manual-payment') and not answers_manual;
    create unique index trax_reversal_key on trax (partner_id, trax_id)
      where family in ('reversal', 'manual-reversal') and entry_id is not null;

    create function refuse_foreign_answer() returns trigger language plpgsql as $$
    begin
      if not exists (
           select from trax m
            where m.partner_id = new.partner_id and m.trax_id = new.trax_id and m.family = 'manual-payment'
              and m.entry_id = new.entry_id and m.fingerprint = new.fingerprint) then
        raise exception 'traxId % of partner %: entry % is not that of its manual payment',
          new.trax_id, new.partner_id, new.entry_id
          using errcode = 'check_violation', constraint = 'trax_answers_its_manual_payment';
      end if;
      return new;
    end $$;
    create trigger trax_answers_its_manual_payment before insert on trax
      for each row when (new.answers_manual) execute function refuse_foreign_answer();
  `);
}

/** Fails while manual postings are stored: what was posted is not taken out of the books. */
export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop trigger trax_answers_its_manual_payment on trax;
    drop function refuse_foreign_answer();
    drop index trax_payment_key, trax_reversal_key;
    alter table trax
      drop constraint trax_manual_is_approved,
      drop constraint trax_family,
      drop constraint trax_entry_when_approved,
      drop column answers_manual,
      add constraint trax_family check (family in ('payment', 'reversal')),
      add constraint trax_entry_when_approved
        check (family <> 'payment' or (outcome = 'APPROVED') = (entry_id is not null));
  `);
}
