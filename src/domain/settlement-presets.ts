/**
 * Starting points for settlement profiles, by name.
 *
 * - `finpay`: a plausible file of the switch. Published are only its name (`kodeCA_namaProduk_date`), its separators (| or ;)
 *   and that it is sent the morning after; the columns are not, so these are an assumption to be replaced by the contract's.
 * - `generic-csv`: comma-separated values with a header, for whoever can choose.
 */
export const SETTLEMENT_PRESETS = {
  finpay: {
    format: { kind: "delimited", delimiter: "|", quoted: false, columnCount: 9 },
    header: "columns",
    trailer: { startsWith: "TOTAL|", count: 2, amount: 3, fee: 4 },
    columns: {
      traxId: "TRAX_ID",
      productCode: "KODE_PRODUK",
      billNumber: { at: "BILL_NUMBER" },
      amount: "AMOUNT",
      feeAmount: "FEE",
      paidAt: { at: "TGL_BAYAR", form: "YYYYMMDD", time: { at: "JAM_BAYAR", form: "HHmmss" } },
      status: { at: "STATUS", paid: ["SUKSES", "00"], reversed: ["REVERSAL"], failed: ["GAGAL"] },
    },
    fileName: { pattern: "{ca}_{product}_{date}.txt", dateForm: "YYYYMMDD", daysBefore: 0 },
    rules: [
      { kind: "bill", name: "bill-amount-day", fields: ["productCode", "amount"], daysApart: 1 },
      { kind: "lines-to-payment", name: "lines-of-a-payment", daysApart: 1 },
      { kind: "payments-to-line", name: "payments-of-a-line", daysApart: 1 },
    ],
  },
  "generic-csv": {
    format: { kind: "delimited", delimiter: "," },
    header: "columns",
    columns: {
      traxId: "trax_id",
      productCode: "product_code",
      billNumber: { at: "bill_number" },
      amount: "amount",
      feeAmount: "fee_amount",
      paidAt: { at: "paid_at", form: "YYYY-MM-DD HH:mm:ss" },
      status: { at: "status", paid: ["paid"], reversed: ["reversed"], failed: ["failed"] },
    },
    rules: [{ kind: "bill", name: "bill-amount-day", fields: ["productCode", "amount"], daysApart: 1 }],
  },
} as const satisfies Record<string, Readonly<Record<string, unknown>>>;

/** Name of a preset. */
export type SettlementPreset = keyof typeof SETTLEMENT_PRESETS;
