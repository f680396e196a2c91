import type { Knex } from "knex";

/**
 * What makes the books provable: signed blocks over journal entries, stored replies and operator actions.
 *
 * - Nothing here is written by a payment. A sealer reads what is committed and puts it into blocks afterwards; the order is
 *   the one that it chose, so a row that commits late comes into a later block and is never passed over (see
 *   docs/decisions/0006-seal-after-the-fact.md).
 * - `seal_state` is one row: below `sealed_until` every row is in a block. `pending_xid` is the next transaction number as
 *   of `pending_at`: once all older transactions have ended, `sealed_until` may move up to there.
 * - `seal_block` holds a block's canonical header, its signature and its leaf hashes; `seal_item` says which row is which
 *   leaf, and holds the salt of its personal fields. Masking removes the salt and keeps what is needed to check the rest.
 * - `seal_key` are the signing keys, private halves encrypted; each is vouched for by the one before.
 * - `seal_checkpoint` is what leaves the database; `seal_delivery` where it still has to go.
 * - `operator_action` is who did what to partners, products, keys and exceptions: append-only, and sealed as entries are.
 * - Journal entries get the same small block-range index over the time of recording that `trax` has.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table operator_action (
      action_id   uuid not null,
      recorded_at timestamptz not null default clock_timestamp(),
      actor       text not null,
      action      text not null,
      object      text not null,
      before_hash bytea,
      after_hash  bytea,
      detail      text not null default '',
      constraint operator_action_pkey primary key (action_id),
      constraint operator_action_actor_length check (char_length(actor) between 1 and 200),
      constraint operator_action_form check (action ~ '^[a-z][a-z0-9.-]{0,99}$'),
      constraint operator_action_object_length check (char_length(object) between 1 and 300),
      constraint operator_action_before_length check (octet_length(before_hash) = 32),
      constraint operator_action_after_length check (octet_length(after_hash) = 32)
    );
    create index operator_action_recorded_idx on operator_action (recorded_at, action_id);
    create index operator_action_object_idx on operator_action (object, recorded_at);
    comment on column operator_action.detail is 'for people; never holds a secret';
    comment on column operator_action.before_hash is 'SHA-256 over what the object was, canonical JSON; null: it was not there';

    create table seal_key (
      key_id          text not null,
      key_no          integer not null,
      public_key      bytea not null,
      statement       text not null,
      signature       bytea not null,
      secret_key_id   text not null,
      nonce           bytea not null,
      ciphertext      bytea not null,
      created_at      timestamptz not null default clock_timestamp(),
      constraint seal_key_pkey primary key (key_id),
      constraint seal_key_no_key unique (key_no),
      constraint seal_key_no_positive check (key_no > 0),
      constraint seal_key_public_key_length check (octet_length(public_key) = 32),
      constraint seal_key_signature_length check (octet_length(signature) = 64),
      constraint seal_key_nonce_length check (octet_length(nonce) = 12),
      constraint seal_key_ciphertext_length check (octet_length(ciphertext) > 16)
    );
    comment on column seal_key.statement is 'canonical text that introduces the key';
    comment on column seal_key.signature is 'over the statement, by the key before; of the first key, by itself';

    create table seal_block (
      block_no    bigint not null,
      header      text not null,
      block_hash  bytea not null,
      signature   bytea not null,
      leaf_count  integer not null,
      leaf_hashes bytea not null,
      sealed_at   timestamptz not null,
      constraint seal_block_pkey primary key (block_no),
      constraint seal_block_no_positive check (block_no > 0),
      constraint seal_block_hash_key unique (block_hash),
      constraint seal_block_hash_length check (octet_length(block_hash) = 32),
      constraint seal_block_signature_length check (octet_length(signature) = 64),
      constraint seal_block_leaves check (leaf_count > 0 and octet_length(leaf_hashes) = 32 * leaf_count)
    );
    -- Hashes do not compress.
    alter table seal_block alter column leaf_hashes set storage external;

    create table seal_item (
      block_no  bigint not null,
      leaf_no   integer not null,
      item_key  text not null,
      business_date date,
      salt      bytea,
      kept      jsonb,
      masked_by uuid,
      constraint seal_item_pkey primary key (block_no, leaf_no),
      constraint seal_item_key unique (item_key),
      constraint seal_item_key_form check (item_key ~ '^(entry|reply|action):'),
      constraint seal_item_leaf_no_positive check (leaf_no >= 0),
      constraint seal_item_salt_length check (octet_length(salt) = 32),
      constraint seal_item_salt_or_mask check ((salt is null) = (kept is not null) and (salt is null) = (masked_by is not null))
    );
    comment on column seal_item.item_key is
      'entry:<entry_id>, reply:<partner_id>:<family>:<trax_id>, action:<action_id>';
    comment on column seal_item.business_date is 'of an entry: which partition to look in first; not itself sealed';
    comment on column seal_item.kept is
      'after masking: for each personal field its own salt, or its commitment where the field was masked';
    comment on column seal_item.masked_by is 'the operator action that asked for it';

    create table seal_state (
      only_row      boolean not null default true,
      sealed_until  timestamptz not null default '-infinity',
      scanned_until timestamptz not null default '-infinity',
      pending_at    timestamptz,
      pending_xid   bigint,
      seen_at       timestamptz,
      constraint seal_state_pkey primary key (only_row),
      constraint seal_state_one_row check (only_row),
      constraint seal_state_pending check ((pending_at is null) = (pending_xid is null))
    );
    insert into seal_state default values;

    create table seal_checkpoint (
      block_no  bigint not null,
      statement text not null,
      signature bytea not null,
      made_at   timestamptz not null,
      constraint seal_checkpoint_pkey primary key (block_no),
      constraint seal_checkpoint_signature_length check (octet_length(signature) = 64)
    );

    create table seal_delivery (
      block_no        bigint not null,
      target          text not null,
      next_attempt_at timestamptz not null default clock_timestamp(),
      attempts        integer not null default 0,
      claimed_until   timestamptz,
      delivered_at    timestamptz,
      last_fault      text,
      constraint seal_delivery_pkey primary key (block_no, target),
      constraint seal_delivery_target check (target in ('s3', 'webhook'))
    );
    create index seal_delivery_due_idx on seal_delivery (next_attempt_at) where delivered_at is null;

    create index journal_entry_recorded_idx on journal_entry using brin (recorded_at)
      with (pages_per_range = 16, autosummarize = on);
  `);

  await knex.raw(`
    -- A sealed row stays where it is; all that may ever happen to it is that its salt goes.
    create function refuse_unmasking() returns trigger language plpgsql as $$
    begin
      if (new.block_no, new.leaf_no, new.item_key) is distinct from (old.block_no, old.leaf_no, old.item_key)
         or new.salt is not null or new.masked_by is null then
        raise exception '% is append-only: % refused', tg_table_name, tg_op using errcode = 'restrict_violation';
      end if;
      return new;
    end $$;
    create trigger seal_item_append_only before update on seal_item for each row execute function refuse_unmasking();
    create trigger seal_item_no_delete before delete on seal_item for each row execute function refuse_change();
    create trigger seal_item_no_truncate before truncate on seal_item for each statement execute function refuse_change();
    create trigger seal_state_no_delete before delete on seal_state for each row execute function refuse_change();
    create trigger seal_state_no_truncate before truncate on seal_state for each statement execute function refuse_change();
  `);
  for (const table of ["operator_action", "seal_key", "seal_block", "seal_checkpoint"]) {
    await knex.raw(`create trigger ${table}_append_only before update or delete on ${table}
      for each row execute function refuse_change()`);
    await knex.raw(`create trigger ${table}_no_truncate before truncate on ${table}
      for each statement execute function refuse_change()`);
  }
  await knex.raw(`
    grant select, insert on operator_action, seal_block, seal_item, seal_checkpoint to biller_app;
    grant select on seal_key to biller_app;
    grant select on seal_state to biller_app;
    grant update (sealed_until, scanned_until, pending_at, pending_xid, seen_at) on seal_state to biller_app;
    grant select, insert, update on seal_delivery to biller_app;
    grant select on operator_action, seal_block, seal_item, seal_checkpoint, seal_state, seal_delivery to biller_auditor;
    grant select (key_id, key_no, public_key, statement, signature, created_at) on seal_key to biller_auditor;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index journal_entry_recorded_idx;
    drop table seal_delivery, seal_checkpoint, seal_state, seal_item, seal_block, seal_key, operator_action;
    drop function refuse_unmasking();
  `);
}
