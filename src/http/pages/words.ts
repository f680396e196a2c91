import type { PageState } from "../../flows";

/** Languages of customers' pages. */
export type Language = "id" | "en";

/** Everything that a bill's page says. */
export interface Words {
  readonly bill: string;
  readonly billFrom: string;
  readonly otherLanguage: string;
  readonly language: string;
  readonly skip: string;
  readonly billedTo: string;
  readonly invoice: string;
  readonly due: string;
  readonly wasDue: string;
  readonly timeLeft: string;
  readonly lessThanAMinute: string;
  readonly details: string;
  readonly item: string;
  readonly quantity: string;
  readonly amount: string;
  readonly fee: string;
  readonly feeAdded: string;
  readonly total: string;
  readonly paidSoFar: string;
  readonly toPay: string;
  readonly received: string;
  readonly notes: string;
  readonly howToPay: string;
  readonly payNow: string;
  readonly payNowHint: string;
  readonly orWithCode: string;
  readonly paymentCode: string;
  readonly productCode: string;
  readonly copy: string;
  readonly copied: string;
  readonly copyFailed: string;
  readonly qr: string;
  readonly qrHint: string;
  readonly steps: readonly string[];
  readonly range: string;
  readonly free: string;
  readonly notNow: string;
  readonly payments: string;
  readonly reference: string;
  readonly paidAt: string;
  readonly print: string;
  readonly check: string;
  readonly safety: string;
  readonly missing: readonly [head: string, text: string];
  readonly broken: readonly [head: string, text: string];
  readonly payFailed: string;
  readonly payBusy: string;
  readonly states: Readonly<Record<PageState, readonly [head: string, text: string]>>;
}

/** The words, in both languages. `{min}` and `{max}` are amounts. */
export const WORDS: Readonly<Record<Language, Words>> = {
  id: {
    bill: "Tagihan",
    billFrom: "Tagihan dari",
    otherLanguage: "English",
    language: "Bahasa",
    skip: "Langsung ke isi",
    billedTo: "Ditagihkan kepada",
    invoice: "Nomor faktur",
    due: "Jatuh tempo",
    wasDue: "Jatuh tempo",
    timeLeft: "Sisa waktu",
    lessThanAMinute: "kurang dari satu menit",
    details: "Rincian tagihan",
    item: "Barang atau jasa",
    quantity: "Jumlah",
    amount: "Harga",
    fee: "Biaya admin",
    feeAdded: "Ditambah biaya admin",
    total: "Total",
    paidSoFar: "Sudah dibayar",
    toPay: "Yang harus dibayar",
    received: "Sudah diterima",
    notes: "Catatan",
    howToPay: "Cara membayar",
    payNow: "Bayar sekarang",
    payNowHint: "Anda akan diarahkan ke halaman pembayaran Finpay.",
    orWithCode: "Atau bayar dengan kode di bawah ini.",
    paymentCode: "Kode bayar Finpay",
    productCode: "Kode produk",
    copy: "Salin kode",
    copied: "Tersalin",
    copyFailed: "Tekan lama kode untuk menyalin",
    qr: "Kode QR berisi kode bayar",
    qrHint: "Berisi kode bayar, untuk dipindai di loket atau perangkat lain. Bukan QRIS.",
    steps: [
      "Buka m-banking, dompet digital, ATM, atau datangi gerai yang menerima Finpay.",
      "Pilih pembayaran Finpay, lalu masukkan kode bayar.",
      "Periksa nama dan jumlahnya, lalu bayar.",
      "Status di halaman ini berubah setelah pembayaran diterima.",
    ],
    range: "Anda dapat membayar dari {min} sampai {max} sekali bayar.",
    free: "Anda bebas menentukan jumlah, dari {min} sampai {max}.",
    notNow: "Tagihan ini belum dapat dibayar sekarang. Silakan hubungi penagih.",
    payments: "Pembayaran yang diterima",
    reference: "Nomor pembayaran",
    paidAt: "Waktu",
    print: "Cetak",
    check: "Periksa status",
    safety: "Bayar hanya dengan kode di halaman ini. Jangan pernah memberikan PIN atau OTP kepada siapa pun.",
    missing: [
      "Tagihan tidak ditemukan",
      "Periksa lagi tautannya, sampai huruf terakhir. Bila tetap tidak terbuka, hubungi penagih yang mengirimnya.",
    ],
    broken: [
      "Halaman ini belum dapat ditampilkan",
      "Ada gangguan di pihak kami. Pembayaran yang sudah Anda lakukan aman. Silakan coba lagi sebentar lagi.",
    ],
    payFailed: "Halaman pembayaran tidak dapat dibuka. Belum ada uang yang diambil. Coba lagi, atau bayar dengan kode.",
    payBusy: "Sedang banyak yang membayar. Coba lagi sebentar lagi, atau bayar dengan kode.",
    states: {
      UNPAID: ["Menunggu pembayaran", "Tagihan ini belum dibayar."],
      PARTIAL: ["Dibayar sebagian", "Masih ada sisa yang harus dibayar."],
      OPEN: ["Siap menerima pembayaran", "Nomor ini dapat dibayar kapan saja, berkali-kali."],
      PAID: ["Lunas", "Pembayaran sudah diterima. Terima kasih."],
      EXPIRED: ["Kedaluwarsa", "Batas waktu sudah lewat. Tagihan ini tidak dapat dibayar lagi; hubungi penagih."],
      CANCELLED: ["Dibatalkan", "Tagihan ini dibatalkan oleh penagih. Jangan dibayar."],
    },
  },
  en: {
    bill: "Bill",
    billFrom: "Bill from",
    otherLanguage: "Bahasa Indonesia",
    language: "Language",
    skip: "Skip to content",
    billedTo: "Billed to",
    invoice: "Invoice number",
    due: "Due",
    wasDue: "Was due",
    timeLeft: "Time left",
    lessThanAMinute: "less than a minute",
    details: "Bill details",
    item: "Item",
    quantity: "Qty",
    amount: "Amount",
    fee: "Admin fee",
    feeAdded: "Plus admin fee",
    total: "Total",
    paidSoFar: "Paid so far",
    toPay: "To pay",
    received: "Received",
    notes: "Notes",
    howToPay: "How to pay",
    payNow: "Pay now",
    payNowHint: "You will go to Finpay's payment page.",
    orWithCode: "Or pay with the code below.",
    paymentCode: "Finpay payment code",
    productCode: "Product code",
    copy: "Copy code",
    copied: "Copied",
    copyFailed: "Press and hold the code to copy it",
    qr: "QR code that holds the payment code",
    qrHint: "Holds the payment code, to be scanned at a counter or by another device. It is not QRIS.",
    steps: [
      "Open mobile banking, an e-wallet or an ATM, or go to an outlet that takes Finpay.",
      "Choose Finpay payment and enter the payment code.",
      "Check the name and the amount, then pay.",
      "The status on this page changes when the payment has arrived.",
    ],
    range: "You can pay from {min} to {max} at a time.",
    free: "You choose the amount, from {min} to {max}.",
    notNow: "This bill cannot be paid right now. Please contact whoever sent it.",
    payments: "Payments received",
    reference: "Payment number",
    paidAt: "Time",
    print: "Print",
    check: "Check status",
    safety: "Pay only with the code on this page. Never give your PIN or OTP to anyone.",
    missing: [
      "Bill not found",
      "Check the link, down to its last letter. If it still does not open, contact whoever sent it to you.",
    ],
    broken: [
      "This page cannot be shown right now",
      "Something is wrong on our side. Payments that you have made are safe. Please try again in a moment.",
    ],
    payFailed: "The payment page could not be opened. No money has been taken. Try again, or pay with the code.",
    payBusy: "Many people are paying just now. Try again in a moment, or pay with the code.",
    states: {
      UNPAID: ["Waiting for payment", "This bill has not been paid yet."],
      PARTIAL: ["Partly paid", "Part of this bill is still to be paid."],
      OPEN: ["Ready for payments", "This number can be paid at any time, and more than once."],
      PAID: ["Paid", "The payment has arrived. Thank you."],
      EXPIRED: ["Expired", "The due time has passed. This bill can no longer be paid; contact whoever sent it."],
      CANCELLED: ["Cancelled", "This bill was cancelled by whoever sent it. Do not pay it."],
    },
  },
};

/** The language of a page: as its address says, else the bill's own, else as the browser prefers, else Indonesian. */
export function languageOf(asked: unknown, ofBill: "EN" | "ID" | null, accepted: string): Language {
  if (asked === "en" || asked === "id") return asked;
  if (ofBill !== null) return ofBill === "EN" ? "en" : "id";
  return preferredOf(accepted);
}

function preferredOf(accepted: string): Language {
  const ranges = accepted.split(",", 20).map((range) => {
    const [tag = "", ...options] = range.trim().toLowerCase().split(";");
    const q = options.map((option) => /^\s*q=([0-9.]+)\s*$/.exec(option)?.[1]).find((value) => value !== undefined);
    return { language: tag.split("-")[0], weight: q === undefined ? 1 : Number(q) };
  });
  const known = ranges.filter(({ language, weight }) => (language === "en" || language === "id") && weight > 0);
  const [best] = known.toSorted((a, b) => b.weight - a.weight);
  return best?.language === "en" ? "en" : "id";
}
