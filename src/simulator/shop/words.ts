import type { Language } from "../words";
import type { BillStatus, EventKind, ShopEvent } from "./order";

/** Everything that the shop says. */
export interface ShopWords {
  readonly otherLanguage: string;
  readonly banner: string;
  readonly welcome: string;
  readonly quantity: string;
  readonly yourData: string;
  readonly name: string;
  readonly email: string;
  readonly phone: string;
  readonly order: string;
  readonly controls: string;
  readonly due: string;
  readonly dueLong: string;
  readonly dueShort: string;
  readonly seconds: string;
  readonly problems: Readonly<Record<"lines" | "name" | "email" | "phone", string>>;
  readonly yourOrder: string;
  readonly total: string;
  readonly dueAt: string;
  readonly billNumber: string;
  readonly pay: string;
  readonly payNote: string;
  readonly seeBill: string;
  readonly check: string;
  readonly cancel: string;
  readonly again: string;
  readonly backToShop: string;
  readonly happened: string;
  readonly happenedNote: string;
  readonly who: Readonly<Record<ShopEvent["who"], string>>;
  readonly statuses: Readonly<Record<BillStatus, readonly [head: string, text: string]>>;
  readonly checking: readonly [head: string, text: string];
  readonly noBill: readonly [head: string, text: string];
  readonly events: Readonly<Record<EventKind, string>>;
  readonly noSuchPage: string;
}

/** The shop's words, in both languages. */
export const SHOP_WORDS: Readonly<Record<Language, ShopWords>> = {
  id: {
    otherLanguage: "English",
    banner: "Toko ini tidak nyata: tidak ada kopi yang dikirim, tidak ada uang yang berpindah.",
    welcome: "Kopi dari kepulauan, dibayar lewat Finpay (simulasi).",
    quantity: "Jumlah",
    yourData: "Data Anda",
    name: "Nama",
    email: "E-mail",
    phone: "Nomor ponsel",
    order: "Pesan",
    controls: "Di balik layar (hanya simulasi)",
    due: "Batas waktu bayar",
    dueLong: "Satu jam",
    dueShort: "Sebentar saja, untuk melihat tagihan kedaluwarsa",
    seconds: "detik",
    problems: {
      lines: "Pilih paling sedikit satu barang, masing-masing paling banyak sembilan.",
      name: "Isi nama Anda, paling banyak 60 huruf.",
      email: "Isi alamat e-mail, misalnya budi@example.com.",
      phone: "Isi nomor ponsel, 8 sampai 15 angka.",
    },
    yourOrder: "Pesanan Anda",
    total: "Total",
    dueAt: "Bayar sebelum",
    billNumber: "Nomor tagihan",
    pay: "Bayar dengan Finpay (simulasi)",
    payNote: "Anda akan dibawa ke halaman pembayaran Finpay tiruan.",
    seeBill: "Lihat tagihan",
    check: "Periksa status",
    cancel: "Batalkan pesanan",
    again: "Coba lagi",
    backToShop: "Belanja lagi",
    happened: "Yang sudah terjadi",
    happenedNote: "Pesan sungguhan antara toko, penyedia tagihan, dan Finpay tiruan. Daftar ini bertambah sendiri.",
    who: { shop: "Toko", biller: "Penyedia tagihan", finpay: "Finpay (simulasi)" },
    statuses: {
      UNPAID: ["Menunggu pembayaran", "Tagihan sudah dibuat. Silakan bayar."],
      PAID: ["Lunas", "Terima kasih! Kopi Anda sedang disiapkan."],
      EXPIRED: ["Kedaluwarsa", "Batas waktu pembayaran sudah lewat. Tidak ada uang yang diambil."],
      CANCELLED: ["Dibatalkan", "Pesanan ini dibatalkan dan tidak dapat dibayar."],
    },
    checking: ["Pembayaran diterima Finpay", "Menunggu kabar dari penyedia tagihan."],
    noBill: ["Tagihan belum dibuat", "Penyedia tagihan tidak menjawab dengan baik. Coba lagi."],
    events: {
      ordered: "Pesanan dicatat",
      "bill-created": "Tagihan dibuat",
      "bill-refused": "Tagihan tidak dibuat",
      "payment-page": "Halaman pembayaran diterima",
      "payment-page-refused": "Pembayaran tidak dimulai",
      notified: "Notifikasi datang, tanda tangan cocok",
      "notification-repeated": "Notifikasi yang sama datang lagi, tidak dihitung",
      "notification-refused": "Notifikasi ditolak",
      "called-back": "Callback datang, tanda tangan cocok",
      "callback-repeated": "Callback yang sama datang lagi, tidak dihitung",
      "callback-refused": "Callback ditolak",
      checked: "Status diperiksa",
      "check-failed": "Status tidak dapat dipastikan",
      cancelled: "Tagihan dibatalkan",
      "cancel-refused": "Pembatalan ditolak",
    },
    noSuchPage: "Halaman ini tidak ada, atau pesanannya sudah dilupakan.",
  },
  en: {
    otherLanguage: "Bahasa Indonesia",
    banner: "This shop is not real: no coffee is sent, and no money moves.",
    welcome: "Coffee from the islands, paid through Finpay (simulated).",
    quantity: "Quantity",
    yourData: "About you",
    name: "Name",
    email: "E-mail",
    phone: "Mobile number",
    order: "Order",
    controls: "Behind the scenes (simulation only)",
    due: "Time to pay",
    dueLong: "One hour",
    dueShort: "A moment only, to see a bill expire",
    seconds: "seconds",
    problems: {
      lines: "Choose at least one thing, and nine of each at most.",
      name: "Give your name, at most 60 letters.",
      email: "Give an e-mail address, such as budi@example.com.",
      phone: "Give a mobile number, 8 to 15 digits.",
    },
    yourOrder: "Your order",
    total: "Total",
    dueAt: "Pay before",
    billNumber: "Bill number",
    pay: "Pay with Finpay (simulated)",
    payNote: "You will be taken to the payment page of a simulated Finpay.",
    seeBill: "See the bill",
    check: "Check the status",
    cancel: "Cancel the order",
    again: "Try again",
    backToShop: "Back to the goods",
    happened: "What has happened",
    happenedNote: "Real messages between the shop, the biller and the simulated Finpay. The list grows by itself.",
    who: { shop: "Shop", biller: "Biller", finpay: "Finpay (simulated)" },
    statuses: {
      UNPAID: ["Waiting for payment", "The bill is made. Please pay it."],
      PAID: ["Paid", "Thank you! Your coffee is being made ready."],
      EXPIRED: ["Expired", "The time to pay is over. No money was taken."],
      CANCELLED: ["Cancelled", "This order is cancelled and cannot be paid."],
    },
    checking: ["Finpay has the payment", "Waiting for word from the biller."],
    noBill: ["No bill yet", "The biller did not answer well. Try again."],
    events: {
      ordered: "Order taken",
      "bill-created": "Bill made",
      "bill-refused": "No bill was made",
      "payment-page": "Payment page given out",
      "payment-page-refused": "Payment not started",
      notified: "Notification arrived, its signature is right",
      "notification-repeated": "The same notification again, not counted",
      "notification-refused": "Notification refused",
      "called-back": "Callback arrived, its signature is right",
      "callback-repeated": "The same callback again, not counted",
      "callback-refused": "Callback refused",
      checked: "Status checked",
      "check-failed": "Status not certain",
      cancelled: "Bill cancelled",
      "cancel-refused": "Cancelling was refused",
    },
    noSuchPage: "There is no such page, or its order was forgotten.",
  },
};
