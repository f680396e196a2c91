import type { Tx } from "../../platform";
import { type CompiledLayout, describeBit61 } from "../../wire";
import type { Row } from "./columns";
import { textOf } from "./format-writer";
import {
  readAttempts,
  readBill,
  readCallbacks,
  readEntries,
  readExceptions,
  readQuotes,
  readSeals,
  readSettlement,
  readRegistry,
  type RegistryRow,
} from "./dossier-queries";
import { maskBit61, maskMessage, maskName } from "./personal";

/** Something that happened to a payment, in its place in time. */
export interface DossierEvent {
  readonly at: string;
  readonly what: string;
  readonly detail: string;
}

/** Everything that is known about one key: a payment, or its reversal. */
export interface KeyDossier {
  readonly registry: Row;
  /** The answer that was stored and sent: its text, masked where the token may not see persons, and bit61 by columns. */
  readonly reply: {
    readonly body: unknown;
    readonly sha256: string;
    readonly bytes: number;
    readonly bit61: Row | null;
  };
  readonly quotes: readonly Row[];
  readonly entries: readonly Row[];
  readonly exceptions: readonly Row[];
  readonly callbacks: readonly Row[];
  /** Lines of settlement files that stand for it. */
  readonly settlement: readonly Row[];
  /** Blocks that it is sealed in; empty while it waits for one. */
  readonly seals: readonly Row[];
  /** Whether answer and entry are both sealed, so that there is a proof. */
  readonly isSealed: boolean;
  readonly bill: Row | null;
}

/** Everything that is known about a traxId. */
export interface Dossier {
  readonly traxId: string;
  readonly isMasked: boolean;
  /** One after the other: payment, then reversal; several partners may have used the same traxId. */
  readonly keys: readonly KeyDossier[];
  readonly attempts: readonly Row[];
  readonly timeline: readonly DossierEvent[];
}

/** What a dossier is made with. */
export interface DossierOptions {
  /** Whether names and contacts are shown. */
  readonly withPersonal: boolean;
  /** bit61 of a product's replies; null when the product is not known any more. */
  readonly layoutOf: (productCode: string) => CompiledLayout | null;
}

/** Gathers everything known about a traxId; null when it was never seen. */
export async function readDossier(tx: Tx, traxId: string, options: DossierOptions): Promise<Dossier | null> {
  const [registry, attempts] = await Promise.all([readRegistry(tx, traxId), readAttempts(tx, traxId)]);
  if (registry.length === 0 && attempts.length === 0) return null;
  const keys: KeyDossier[] = [];
  for (const row of registry) keys.push(await readKey(tx, row, options));
  const shownAttempts = attempts.map((attempt) => shownAttempt(attempt, options));
  return {
    traxId,
    isMasked: !options.withPersonal,
    keys,
    attempts: shownAttempts,
    timeline: timelineOf(keys, shownAttempts),
  };
}

async function readKey(tx: Tx, row: RegistryRow, options: DossierOptions): Promise<KeyDossier> {
  const [quotes, entries, exceptions, callbacks, settlement, seals, bill] = await Promise.all([
    readQuotes(tx, row),
    row.entryId === null ? [] : readEntries(tx, row),
    readExceptions(tx, row),
    readCallbacks(tx, row),
    row.entryId === null ? [] : readSettlement(tx, row),
    readSeals(tx, row),
    readBill(tx, row.billKey),
  ]);
  const layout = options.layoutOf(row.productCode);
  const { replyBody: _replyBody, partnerId: _partnerId, ...registry } = row;
  const bit61Shown = (text: string): string => (options.withPersonal ? text : maskBit61(layout, text));
  return {
    registry: plain(registry),
    reply: replyOf(row, layout, options.withPersonal),
    quotes: quotes.map((quote) => plain({ ...quote, bit61: bit61Shown(String(quote["bit61"])) })),
    entries: entries.map(plain),
    exceptions: exceptions.map(plain),
    callbacks: callbacks.map(plain),
    settlement: settlement.map(plain),
    seals: seals.map(plain),
    isSealed: seals.length === (row.entryId === null ? 1 : 2),
    bill:
      bill === null
        ? null
        : plain(options.withPersonal ? bill : { ...bill, customerName: maskName(String(bill["customerName"])) }),
  };
}

/** The stored bytes. The digest is of what is stored, masked or not: it is what a repeat of the payment would be answered. */
function replyOf(row: RegistryRow, layout: CompiledLayout | null, withPersonal: boolean): KeyDossier["reply"] {
  const fields = parsed(row.replyBody);
  const shown = fields === null || withPersonal ? fields : maskMessage(layout, fields);
  const bit61 = shown === null ? undefined : shown["bit61"];
  return {
    body: withPersonal ? row.replyBody : shown,
    sha256: String(row["replySha256"]),
    bytes: Buffer.byteLength(row.replyBody),
    bit61: typeof bit61 === "string" ? bit61Of(layout, bit61) : null,
  };
}

/** bit61 with the place, width and meaning of every column. */
function bit61Of(layout: CompiledLayout | null, text: string): Row | null {
  if (layout === null || text.length <= 20) return { text, columns: null };
  const { rows, faults } = describeBit61(layout, text);
  return {
    text,
    columns: rows.map(({ offset, width, name, kind, raw }) => ({ offset, width, name, kind, raw })),
    faults,
  };
}

function shownAttempt(attempt: Row, { withPersonal, layoutOf }: DossierOptions): Row {
  if (withPersonal) return plain(attempt);
  const layout = typeof attempt["productCode"] === "string" ? layoutOf(attempt["productCode"]) : null;
  const masked = (message: unknown): unknown =>
    typeof message === "object" && message !== null ? maskMessage(layout, message as Row) : message;
  return plain({ ...attempt, request: masked(attempt["request"]), reply: masked(attempt["reply"]) });
}

function timelineOf(keys: readonly KeyDossier[], attempts: readonly Row[]): DossierEvent[] {
  const events: DossierEvent[] = [];
  const add = (at: unknown, what: string, detail = ""): void => {
    if (typeof at === "string") events.push({ at, what, detail });
  };
  for (const attempt of attempts) {
    const repeat = attempt["isReplay"] === true ? "repeat, " : "";
    const gone = attempt["isDelivered"] === false ? ", the caller was gone" : "";
    const { transactionType, outcome, resultCode, note } = attempt;
    add(
      attempt["receivedAt"],
      "request",
      `type ${text(transactionType)}: ${repeat}${text(outcome)} (${text(resultCode)})${gone}${note === null ? "" : `; ${text(note)}`}`,
    );
  }
  for (const { registry, quotes, entries, exceptions, callbacks, settlement, seals } of keys) {
    for (const line of settlement) {
      add(
        line["importedAt"],
        "settlement line",
        `${text(line["fileName"])}, line ${text(line["lineNo"])}: ${text(line["amount"])}`,
      );
    }
    for (const seal of seals)
      add(seal["sealedAt"], "sealed", `${text(seal["item"])} in block ${text(seal["blockNo"])}`);
    for (const quote of quotes)
      add(quote["quotedAt"], "quote", `amount ${text(quote["amount"])}, fee ${text(quote["feeAmount"])}`);
    add(registry["recordedAt"], `${text(registry["family"])} decided`, `${text(registry["outcome"])}, answer stored`);
    for (const entry of entries) {
      const lines = (entry["postings"] as readonly Row[] | null) ?? [];
      const shown = lines.map((line) => `${text(line["side"])} ${text(line["account"])} ${text(line["amount"])}`);
      add(entry["recordedAt"], `journal entry (${text(entry["kind"])})`, shown.join(", "));
    }
    for (const each of exceptions) {
      add(each["openedAt"], `exception opened: ${text(each["kind"])}`, text(each["detail"]));
      add(each["closedAt"], `exception closed: ${text(each["kind"])}`, text(each["closedBecause"]));
    }
    for (const event of callbacks) {
      add(event["createdAt"], `callback ${text(event["kind"])} queued`, `merchant ${text(event["merchant"])}`);
      for (const attempt of (event["attempts"] as readonly Row[] | null) ?? []) {
        const { attemptNo, httpStatus, fault } = attempt;
        add(
          attempt["attemptedAt"],
          "callback sent",
          `attempt ${text(attemptNo)}: ${fault === null ? `status ${text(httpStatus)}` : text(fault)}`,
        );
      }
      add(event["deadAt"], "callback is a dead letter");
    }
  }
  const seen = new Set<string>();
  return events
    .filter((event) => {
      const name = JSON.stringify(event);
      return !seen.has(name) && seen.add(name) !== undefined;
    })
    .toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

function text(value: unknown): string {
  return textOf(value) ?? "-";
}

/** Amounts as digits, for JSON. */
function plain(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === "bigint" ? value.toString() : value]),
  );
}

function parsed(body: string): Row | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Row) : null;
  } catch {
    return null;
  }
}
