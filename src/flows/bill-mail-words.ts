/** Languages that a bill can be in. */
export type Language = "EN" | "ID";

/** Everything that mails to customers say, but for what stands in the bill. */
interface Words {
  /** The language as HTML and the calendar name it. */
  readonly tag: string;
  readonly dear: (name: string) => string;
  readonly billSubject: (merchant: string, number: string) => string;
  readonly billIntroduction: (merchant: string) => string;
  readonly receiptSubject: (merchant: string, number: string) => string;
  readonly receiptIntroduction: (merchant: string) => string;
  readonly number: string;
  readonly amount: string;
  readonly due: string;
  readonly paymentCode: string;
  readonly staticCode: string;
  readonly paid: string;
  readonly paidAt: string;
  readonly reference: string;
  readonly left: string;
  readonly items: string;
  readonly total: string;
  readonly notes: (merchant: string) => string;
  readonly open: string;
  readonly how: string;
  readonly footer: string;
}

/** The words by language. Times are Jakarta's, which people call WIB. */
export const MAIL_WORDS: Readonly<Record<Language, Words>> = {
  EN: {
    tag: "en-GB",
    dear: (name) => `Dear ${name},`,
    billSubject: (merchant, number) => `Bill from ${merchant}: ${number}`,
    billIntroduction: (merchant) => `${merchant} has sent you a bill.`,
    receiptSubject: (merchant, number) => `Payment received for ${merchant}: ${number}`,
    receiptIntroduction: (merchant) => `We have received your payment to ${merchant}. Thank you.`,
    number: "Invoice number",
    amount: "Amount due",
    due: "Pay before",
    paymentCode: "Payment code",
    staticCode: "Your payment number, for every payment",
    paid: "Amount paid",
    paidAt: "Paid on",
    reference: "Payment reference",
    left: "Still to be paid",
    items: "Items",
    total: "Total",
    notes: (merchant) => `Note from ${merchant}`,
    open: "Open the bill",
    how: "Open the bill to pay, or give the payment code at any channel that serves Finpay.",
    footer:
      "This message was sent automatically. Nobody will ever ask you for a PIN, an OTP or a password for this bill.",
  },
  ID: {
    tag: "id-ID",
    dear: (name) => `Yth. ${name},`,
    billSubject: (merchant, number) => `Tagihan dari ${merchant}: ${number}`,
    billIntroduction: (merchant) => `${merchant} mengirimkan tagihan kepada Anda.`,
    receiptSubject: (merchant, number) => `Pembayaran diterima untuk ${merchant}: ${number}`,
    receiptIntroduction: (merchant) => `Pembayaran Anda kepada ${merchant} telah kami terima. Terima kasih.`,
    number: "Nomor tagihan",
    amount: "Jumlah tagihan",
    due: "Bayar sebelum",
    paymentCode: "Kode pembayaran",
    staticCode: "Nomor pembayaran Anda, untuk setiap pembayaran",
    paid: "Jumlah dibayar",
    paidAt: "Dibayar pada",
    reference: "Referensi pembayaran",
    left: "Sisa tagihan",
    items: "Rincian",
    total: "Total",
    notes: (merchant) => `Catatan dari ${merchant}`,
    open: "Buka tagihan",
    how: "Buka tagihan untuk membayar, atau sebutkan kode pembayaran di kanal mana pun yang melayani Finpay.",
    footer: "Pesan ini dikirim otomatis. Tidak ada yang akan meminta PIN, OTP, atau kata sandi Anda untuk tagihan ini.",
  },
};
