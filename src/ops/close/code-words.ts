import type { AccountCode, FileKind, OpenedKind, Outcome, ReconciliationClass } from "../../domain";
import type { Family } from "../../ledger";
import type { ExpectedFile } from "../reconciliation/expected-files";
import type { ReportLanguage } from "./words";

/** A code's word in each language. */
type Word = Readonly<Record<ReportLanguage, string>>;

const word = (en: string, id: string): Word => ({ en, id });

/** Everything a line, a payment or an exception can be found to be. `unreadable` counts lines of files. */
const CLASSES = {
  matched: word("Matched", "Cocok"),
  unreadable: word("Unreadable lines", "Baris tidak terbaca"),
  "unreadable-line": word("Unreadable line", "Baris tidak terbaca"),
  "missing-file": word("Missing file", "Berkas belum datang"),
  "duplicate-in-file": word("Twice in the file", "Ganda di berkas"),
  "reversed-there": word("Reversed at the switch only", "Dibatalkan hanya di switch"),
  "reversed-here": word("Reversed in our books only", "Dibatalkan hanya di pembukuan kami"),
  recovered: word("Recovered after it was given up", "Tertagih setelah dihapus atau dialihkan"),
  "status-differs": word("Status differs", "Status berbeda"),
  "amount-differs": word("Amount differs", "Nilai berbeda"),
  "fee-differs": word("Fee differs", "Biaya admin berbeda"),
  "wrong-business-date": word("Other business date", "Tanggal bisnis berbeda"),
  "missing-here": word("Missing in our books", "Tidak ada di pembukuan kami"),
  "missing-in-file": word("Missing in the file", "Tidak ada di berkas"),
  "double-collection": word("Collected twice", "Tertagih ganda"),
  suspense: word("In suspense", "Dana belum teridentifikasi"),
  refund: word("To be refunded", "Harus dikembalikan"),
  "look-alike": word("Looks like another payment", "Mirip pembayaran lain"),
  divergence: word("Switch and books disagree", "Switch dan pembukuan tidak sejalan"),
} as const satisfies Record<ReconciliationClass | OpenedKind | FileKind | "unreadable", Word>;

const OUTCOMES = {
  APPROVED: word("Approved", "Disetujui"),
  IN_PROCESS: word("In process", "Sedang diproses"),
  UNKNOWN: word("Unknown", "Tidak diketahui"),
  CONFLICT: word("Conflicts with an earlier message", "Bertentangan dengan pesan sebelumnya"),
  ALREADY_PAID: word("Already paid", "Sudah dibayar"),
  BILL_NOT_FOUND: word("Bill not found", "Tagihan tidak ditemukan"),
  EXPIRED: word("Expired", "Kedaluwarsa"),
  CANCELLED: word("Cancelled", "Dibatalkan"),
  BAD_AMOUNT: word("Wrong amount", "Nilai salah"),
  BAD_FEE: word("Wrong fee", "Biaya admin salah"),
  NO_INQUIRY: word("No inquiry before", "Tanpa inquiry sebelumnya"),
  NOT_FOUND: word("Payment not found", "Pembayaran tidak ditemukan"),
  REVERSED: word("Reversed", "Sudah dibatalkan"),
  ALREADY_REVERSED: word("Already reversed", "Sudah dibatalkan sebelumnya"),
  NOT_REVERSIBLE: word("Cannot be reversed", "Tidak dapat dibatalkan"),
  PRODUCT_NOT_ALLOWED: word("Product not allowed", "Produk tidak diizinkan"),
  FUNCTION_NOT_SUPPORTED: word("Function not supported", "Fungsi tidak didukung"),
  BAD_AUTH: word("Wrong signature", "Tanda tangan pesan salah"),
  BAD_FORMAT: word("Wrong format", "Format salah"),
  CUT_OFF: word("During cut-off", "Dalam waktu cut-off"),
} as const satisfies Record<Outcome, Word>;

const ACCOUNTS = {
  "due-from-switch": word("Due from switch", "Piutang dari switch"),
  "bank-in-transit": word("Bank in transit", "Dana dalam perjalanan ke bank"),
  bank: word("Bank", "Bank"),
  "bill-collections": word("Bill collections", "Penerimaan tagihan"),
  "merchant-payable": word("Merchant payable", "Utang kepada merchant"),
  "fee-earned": word("Fee earned", "Pendapatan biaya admin"),
  "fee-payable": word("Fee payable", "Utang biaya admin"),
  suspense: word("Suspense", "Dana belum teridentifikasi"),
  "unapplied-credit": word("Unapplied credit", "Kelebihan bayar pelanggan"),
  "settlement-difference": word("Settlement differences", "Selisih settlement"),
  "written-off": word("Written off", "Penghapusan piutang"),
  "refund-payable": word("Refunds payable", "Utang pengembalian dana"),
} as const satisfies Record<AccountCode, Word>;

/** Families of messages, and of payments that people enter. */
const FAMILIES = {
  payment: word("Payment", "Pembayaran"),
  reversal: word("Reversal", "Pembatalan"),
  "manual-payment": word("Payment entered by hand", "Pembayaran dimasukkan manual"),
  "manual-reversal": word("Reversal entered by hand", "Pembatalan dimasukkan manual"),
} as const satisfies Record<Family, Word>;

/** Kinds of journal entries. */
const ENTRIES = {
  payment: word("Payment", "Pembayaran"),
  reversal: word("Reversal", "Pembatalan"),
  settlement: word("Settlement", "Settlement"),
  correction: word("Correction", "Koreksi"),
} as const satisfies Record<"payment" | "reversal" | "settlement" | "correction", Word>;

/** Kinds of settlement postings. */
const POSTED = {
  file: word("Lines of files", "Baris berkas"),
  resolution: word("Decisions about exceptions", "Keputusan atas pengecualian"),
  "bank-credit": word("Credit by the bank", "Kredit dari bank"),
} as const satisfies Record<"file" | "resolution" | "bank-credit", Word>;

/** States of files that are expected. */
const EXPECTED = {
  arrived: word("Arrived", "Sudah datang"),
  missing: word("Missing", "Belum datang"),
  "without-file": word("Closed without it", "Ditutup tanpa berkas"),
} as const satisfies Record<ExpectedFile["state"], Word>;

/** The sets of codes that a report shows words for. */
export const CODE_WORDS = {
  class: CLASSES,
  outcome: OUTCOMES,
  account: ACCOUNTS,
  family: FAMILIES,
  entry: ENTRIES,
  posted: POSTED,
  expected: EXPECTED,
} as const satisfies Record<string, Readonly<Record<string, Word>>>;

/** The word for a code; the code itself where it is not known, for instance in a close that another version has made. */
export function wordFor(set: keyof typeof CODE_WORDS, code: string, language: ReportLanguage): string {
  const words: Readonly<Record<string, Word>> = CODE_WORDS[set];
  return Object.hasOwn(words, code) ? (words[code]?.[language] ?? code) : code;
}
