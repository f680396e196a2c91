import { createHash } from "node:crypto";

/** What a message is about; every kind has bodies of the same size. */
export type MessageKind = "payment" | "inquiry";

/** The partner and the bills that all messages speak of. */
export const SCENE = {
  userName: "bmandiri",
  password: "demo-password",
  productCode: "001001",
  itemCount: 3,
  itemAmount: 10_000,
  feeAmount: 5_000,
  customerName: "BUDI SANTOSO",
  details: { kodeDivre: "02", kodeDatel: "0001", npwp: "8825220158" },
  references: ["304A", "305A", "306A"],
} as const;

const BILL_PREFIX = "00210";

/** The thirteen digits of bill `index`. */
export function billNumberOf(index: number): string {
  return BILL_PREFIX + String(index).padStart(8, "0");
}

/** The same in SQL, for an expression that is a whole number. */
export function billNumberSql(index: string): string {
  return `'${BILL_PREFIX}' || lpad((${index})::text, 8, '0')`;
}

/** A walk over a range that meets every member once, far apart from each other: as bills are paid, in no order. */
export interface Walk {
  readonly first: number;
  readonly size: number;
  readonly stride: number;
}

/** The walk over `size` bills from `first` on. */
export function walkOver(first: number, size: number): Walk {
  let stride = Math.max(1, Math.round(size * 0.618_034));
  while (commonDivisor(stride, size) > 1) stride += 1;
  return { first, size, stride };
}

/** The bill at a step of a walk; beyond its end it begins again. */
export function billAt({ first, size, stride }: Walk, step: number): number {
  // Below 2^53 for ranges and steps of up to some ten millions.
  return first + ((step * stride) % size);
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

/** bit61 as an inquiry answers it for bill 0; the others differ in their number only. */
export interface Bit61 {
  readonly text: string;
  readonly bodyWidth: number;
}

const hex = (text: string): string => createHash("sha256").update(text).digest("hex");

/** A signed message as a whole HTTP request. */
export function requestOf(options: {
  readonly kind: MessageKind;
  readonly host: string;
  readonly path: string;
  readonly bill: number;
  readonly traxId: string;
  readonly timeStamp: string;
  readonly amount: number;
  readonly bit61: string;
}): Buffer {
  const { kind, bill, traxId, timeStamp } = options;
  const billNumber = billNumberOf(bill);
  const isPayment = kind === "payment";
  const { userName, productCode, password } = SCENE;
  const [channel, terminal, transactionType] = ["6017", "T0800004", isPayment ? "50" : "38"];
  const signature = hex(
    `${userName}${productCode}${channel}${terminal}${transactionType}${billNumber}${traxId}${hex(`${timeStamp}${password}`)}`,
  );
  const body = JSON.stringify({
    ...{ userName, signature, productCode, channel, terminal },
    ...{ terminalName: "T0800004        ", terminalLocation: "T0800004        ", transactionType, billNumber },
    amount: isPayment ? String(options.amount).padStart(12, "0") : "0",
    feeAmount: isPayment ? String(SCENE.feeAmount) : "0",
    bit61: isPayment ? billNumber + options.bit61.slice(billNumber.length) : billNumber,
    ...{ traxId, timeStamp, addInfo1: "", addInfo2: "", addInfo3: "" },
  });
  return Buffer.from(
    `POST ${options.path} HTTP/1.1\r\nHost: ${options.host}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** An instant as the switch writes it, in Jakarta. */
export function timeStampOf(epochMs: number): string {
  const iso = new Date(epochMs + 7 * 3_600_000).toISOString();
  return `${iso.slice(8, 10)}-${iso.slice(5, 7)}-${iso.slice(0, 4)} ${iso.slice(11, 19)}`;
}
