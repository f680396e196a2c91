import { billNumberSql, SCENE } from "./messages";

/**
 * One payment as one function inside PostgreSQL: key, bill under lock, quote, update, registry row, entry, postings. It
 * does less than the host: no message to read, no signature, no items, and a reply that is a constant but for its traxId.
 */
export function postingFunctionSql(bit61: string, replyLength: number): string {
  const total = SCENE.itemCount * SCENE.itemAmount;
  const { feeAmount, productCode } = SCENE;
  return `
    create or replace function bench_post_payment(p_trax_id text, p_bill bigint)
    returns text language plpgsql as $$
    declare
      v_number text := ${billNumberSql("p_bill")};
      v_key text := '${productCode}:' || v_number;
      v_bit61 text := v_number || substr('${bit61}', 14);
      v_entry uuid := uuidv7();
      v_day date := (now() at time zone 'Asia/Jakarta')::date;
      v_bill record;
      v_reply text;
    begin
      select reply_body into v_reply from trax where partner_id = 1 and trax_id = p_trax_id and family = 'payment';
      if found then return v_reply; end if;
      select version, is_cancelled, total_amount, paid_amount, fee_amount, due_at into v_bill
        from bill where bill_key = v_key for update;
      if not found or v_bill.is_cancelled or v_bill.total_amount - v_bill.paid_amount <> ${total}
         or v_bill.fee_amount <> ${feeAmount} or v_bill.due_at < now() then
        raise exception 'bill % is not as expected', v_key;
      end if;
      perform from quote where bill_key = v_key and partner_id = 1 and bit61 = v_bit61 and honoured_until > now();
      if not found then raise exception 'bill % has no quote', v_key; end if;
      update bill set paid_amount = total_amount, version = version + 1, paid_at = clock_timestamp(),
                      updated_at = clock_timestamp()
       where bill_key = v_key;
      v_reply := rpad('{"traxId":"' || p_trax_id || '","bit61":"' || v_bit61 || '"}', ${replyLength});
      insert into trax (partner_id, trax_id, family, fingerprint, product_code, bill_number, bill_key, amount, fee_amount,
                        channel, outcome, result_code, sys_code, reply_body, entry_id, business_date, received_at)
      values (1, p_trax_id, 'payment',
              '\\x01'::bytea || sha256(convert_to(concat_ws(E'\\n', '${productCode}', v_number, ${total}, ${feeAmount}), 'UTF8')),
              '${productCode}', v_number, v_key, ${total}, ${feeAmount}, '6017', 'APPROVED', '00', '123456789012', v_reply,
              v_entry, v_day, now());
      with entered as (
        insert into journal_entry (entry_id, bill_key, business_date, kind, partner_id, trax_id, product_code,
                                   bill_number, amount, fee_amount, channel, happened_at)
        values (v_entry, v_key, v_day, 'payment', 1, p_trax_id, '${productCode}', v_number, ${total}, ${feeAmount}, '6017',
                now())
      )
      insert into posting (entry_id, line_no, bill_key, business_date, account_code, side, amount)
      values (v_entry, 1, v_key, v_day, 'due-from-switch', 'debit', ${total + feeAmount}),
             (v_entry, 2, v_key, v_day, 'bill-collections', 'credit', ${total}),
             (v_entry, 3, v_key, v_day, 'fee-earned', 'credit', ${feeAmount});
      return v_reply;
    end $$;
    grant execute on function bench_post_payment(text, bigint) to biller_app`;
}
