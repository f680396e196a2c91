import type { Fault } from "./faults";
import type { OrderState, SentMessage } from "./order";

/** Languages of the payment page. */
export type Language = "id" | "en";

/** Everything that the payment page says. */
export interface Words {
  readonly title: string;
  readonly otherLanguage: string;
  readonly bill: string;
  readonly product: string;
  readonly billNumber: string;
  readonly order: string;
  readonly amount: string;
  readonly fee: string;
  readonly total: string;
  readonly source: string;
  readonly pay: string;
  readonly tryAgain: string;
  readonly refresh: string;
  readonly choose: string;
  readonly unanswered: string;
  readonly refused: string;
  readonly code: string;
  readonly reference: string;
  readonly noSuchPage: string;
  readonly back: string;
  readonly backstage: string;
  readonly fault: string;
  readonly faults: Readonly<Record<Fault, string>>;
  readonly sent: string;
  readonly replayed: string;
  readonly functions: Readonly<Record<SentMessage["function"], string>>;
  readonly states: Readonly<Record<Exclude<OrderState, "open">, readonly [head: string, text: string]>>;
  readonly sources: Readonly<Record<SourceOfFunds, string>>;
  /** Names of customerData that are known; others are shown as they are. */
  readonly names: Readonly<Record<string, string>>;
}

/** Sources of funds that the page offers; none of them is real. */
export const SOURCES = ["va", "qris", "ewallet", "cc"] as const;
/** One of them. */
export type SourceOfFunds = (typeof SOURCES)[number];

/** The page's words, in both languages. */
export const WORDS: Readonly<Record<Language, Words>> = {
  id: {
    title: "Pembayaran tagihan",
    otherLanguage: "English",
    bill: "Rincian tagihan",
    product: "Kode produk",
    billNumber: "Nomor tagihan",
    order: "Nomor pesanan",
    amount: "Jumlah tagihan",
    fee: "Biaya admin",
    total: "Total bayar",
    source: "Pilih sumber dana",
    pay: "Bayar",
    tryAgain: "Coba lagi",
    refresh: "Perbarui halaman",
    choose: "Pilih salah satu sumber dana, lalu tekan Bayar.",
    unanswered: "Penyedia tagihan tidak menjawab. Belum ada uang yang diambil.",
    refused: "Tagihan ini tidak dapat dibayar sekarang.",
    code: "Kode",
    reference: "Nomor referensi",
    noSuchPage: "Halaman pembayaran ini tidak ada, atau sudah dihapus.",
    back: "Kembali ke toko",
    backstage: "Di balik layar (hanya simulasi)",
    fault: "Gangguan di jalan ke penyedia tagihan",
    faults: {
      none: "Tidak ada gangguan",
      "answer-lost": "Jawaban pertama hilang: kirim ulang",
      storm: "Pembayaran yang sama tiba delapan kali",
      silence: "Tidak ada jawaban: dibatalkan",
    },
    sent: "Pesan dari switch simulasi ke penyedia tagihan, dan jawabannya:",
    replayed: "jawaban tersimpan",
    functions: { inquiry: "Inquiry", payment: "Pembayaran", reversal: "Pembatalan" },
    states: {
      paying: ["Sedang diproses", "Pembayaran sedang diteruskan ke penyedia tagihan. Halaman ini diperbarui sendiri."],
      paid: ["Pembayaran berhasil", "Tagihan sudah lunas di penyedia tagihan."],
      declined: ["Pembayaran ditolak", "Penyedia tagihan menolak pembayaran. Uang Anda dikembalikan."],
      reversed: ["Pembayaran dibatalkan", "Penyedia tagihan tidak menjawab tepat waktu. Uang Anda dikembalikan."],
      unclear: [
        "Pembayaran sedang diperiksa",
        "Hasilnya belum pasti. Jangan membayar dua kali; petugas akan memeriksa.",
      ],
    },
    sources: { va: "Virtual account", qris: "QRIS", ewallet: "Dompet elektronik", cc: "Kartu kredit" },
    names: {
      customerName: "Nama pelanggan",
      customerId: "Nomor pelanggan",
      jumlahBill: "Banyaknya tagihan",
      kodeDivre: "Kode divre",
      kodeDatel: "Kode datel",
      npwp: "NPWP",
      address: "Alamat",
      dueDate: "Jatuh tempo",
      licensePlate: "Nomor polisi",
      paymentNo: "Angsuran ke",
      billInfo: "Tagihan",
      invoiceNumber: "Nomor faktur",
      merchantName: "Penjual",
      description: "Keterangan",
      item: "Barang",
    },
  },
  en: {
    title: "Bill payment",
    otherLanguage: "Bahasa Indonesia",
    bill: "Your bill",
    product: "Product code",
    billNumber: "Bill number",
    order: "Order number",
    amount: "Amount",
    fee: "Admin fee",
    total: "Total to pay",
    source: "Choose a source of funds",
    pay: "Pay",
    tryAgain: "Try again",
    refresh: "Refresh the page",
    choose: "Choose a source of funds, then press Pay.",
    unanswered: "The biller does not answer. No money has been taken.",
    refused: "This bill cannot be paid now.",
    code: "Code",
    reference: "Reference",
    noSuchPage: "There is no such payment page, or it was removed.",
    back: "Back to the shop",
    backstage: "Behind the scenes (simulation only)",
    fault: "Fault on the way to the biller",
    faults: {
      none: "No fault",
      "answer-lost": "First answer is lost: send again",
      storm: "The same payment arrives eight times",
      silence: "No answer at all: reverse",
    },
    sent: "Messages of the simulated switch to the biller, and their answers:",
    replayed: "stored answer",
    functions: { inquiry: "Inquiry", payment: "Payment", reversal: "Reversal" },
    states: {
      paying: ["In progress", "The payment is being passed to the biller. This page refreshes by itself."],
      paid: ["Payment successful", "The bill is paid at the biller."],
      declined: ["Payment declined", "The biller declined the payment. Your money goes back."],
      reversed: ["Payment reversed", "The biller did not answer in time. Your money goes back."],
      unclear: [
        "Payment is being checked",
        "The outcome is not certain yet. Do not pay twice; somebody will look into it.",
      ],
    },
    sources: { va: "Virtual account", qris: "QRIS", ewallet: "E-wallet", cc: "Credit card" },
    names: {
      customerName: "Customer name",
      customerId: "Customer number",
      jumlahBill: "Number of bills",
      kodeDivre: "Region",
      kodeDatel: "Office",
      npwp: "Tax number",
      address: "Address",
      dueDate: "Due date",
      licensePlate: "Licence plate",
      paymentNo: "Instalment",
      billInfo: "Bill",
      invoiceNumber: "Invoice",
      merchantName: "Merchant",
      description: "Note",
      item: "Item",
    },
  },
};

/** The language of a page: as its address says, then as the browser prefers; Indonesian otherwise. */
export function languageOf(asked: unknown, accepted: string): Language {
  if (asked === "en" || asked === "id") return asked;
  return /^\s*en\b/i.test(accepted) ? "en" : "id";
}
