import { statSync } from "node:fs";
import { basename } from "node:path";
import { type Catalog, checkBillLines, type LineProblem } from "../flows";
import { Fault, messageOf, type Tx } from "../platform";
import { findItemConflicts, importBills, type ImportedBill, type ImportSummary, recordOperatorAction } from "../store";
import { readBillFile } from "./bill-file";
import { operatorName } from "./operator-name";
import { startProgress } from "./output";
import type { DatabaseContext } from "./with-database";

/** What an import of a file did. */
export interface BillFileReport {
  readonly bills: number;
  readonly created: number;
  readonly changed: number;
  readonly items: number;
  readonly badLines: number;
  /** The first of them. */
  readonly problems: readonly LineProblem[];
}

const ignore = (): void => {};
const BATCH_BILLS = 500;
const PROBLEMS_KEPT = 50;

/**
 * Imports a bill file. It is read twice: first everything is checked, also against the bills that are there already, and
 * only then is anything written; a bad line therefore leaves nothing behind, unless bad bills are to be skipped.
 *
 * Bills are written in short transactions of their own, since a long one would keep payments of those bills waiting. When
 * it is interrupted, importing the same file again completes it: what is there is left alone.
 *
 * @throws Fault `bad_lines` with the first problems, nothing was written
 */
export async function importBillFile(
  path: string,
  options: { readonly skipBad: boolean },
  { transact }: DatabaseContext,
  catalog: Catalog,
): Promise<BillFileReport> {
  const before = statOf(path);
  const problems: LineProblem[] = [];
  let badLines = 0;
  const skipped = new Set<string>();
  const note = (found: readonly LineProblem[], billKey?: string): void => {
    badLines += found.length;
    problems.push(...found.slice(0, Math.max(0, PROBLEMS_KEPT - problems.length)));
    if (billKey !== undefined) skipped.add(billKey);
  };

  const noteLeftOut = (line: number): void => {
    // Good in itself: worth a remark only when the bad lines do not stop the file anyway.
    if (options.skipBad)
      note([{ line, problem: "left out: a line beside it cannot be read and may be one of its items" }]);
  };

  const checking = startProgress("checking");
  const seen = new Map<string, number>();
  let bills = 0;
  for await (const batch of batchesOf(path, catalog, seen, note, noteLeftOut, (bytes) =>
    checking.update(`${percent(bytes, before.size)}, ${bills} bills, ${badLines} bad lines`),
  )) {
    const conflicts = await transact((tx) =>
      findItemConflicts(
        tx,
        batch.map(({ bill }) => bill),
      ),
    );
    for (const { billKey, reference, knownAmount } of conflicts) {
      const line = batch.find(({ bill }) => bill.billKey === billKey)?.lineOf(reference) ?? 0;
      note([{ line, problem: `${reference} of bill ${billKey} is known with the amount ${knownAmount}` }], billKey);
    }
    bills += batch.length;
  }
  checking.done();
  if (badLines > 0 && !options.skipBad) throw new BadLines(badLines, problems);

  const after = statOf(path);
  if (after.size !== before.size || after.mtimeMs !== before.mtimeMs) {
    throw new Fault("bill_file", `${path} changed while it was being read; nothing was written`);
  }
  const writing = startProgress("writing");
  const total = { created: 0, changed: 0, items: 0, bills: 0 };
  for await (const batch of batchesOf(path, catalog, new Map(), ignore, ignore, (bytes) =>
    writing.update(`${percent(bytes, before.size)}, ${total.bills} bills`),
  )) {
    const wanted = batch.map(({ bill }) => bill).filter(({ billKey }) => !skipped.has(billKey));
    if (wanted.length === 0) continue;
    const summary = await transact(async (tx) => {
      const [conflict] = await findItemConflicts(tx, wanted);
      if (conflict === undefined) {
        const done = await importBills(tx, wanted);
        await recordImport(tx, path, done, total.bills + wanted.length);
        return done;
      }
      throw new Fault(
        "bill_file",
        `${conflict.reference} of bill ${conflict.billKey} was given the amount ${conflict.knownAmount} by somebody else ` +
          `while this file was being written; ${total.bills} bills are in. Import the file again to see what is left`,
      );
    });
    total.bills += wanted.length;
    total.created += summary.billsCreated;
    total.changed += summary.billsChanged;
    total.items += summary.itemsCreated;
  }
  writing.done();
  return { ...total, badLines, problems: problems.toSorted((a, b) => a.line - b.line) };
}

/** With each part of a file that changes something, in its transaction: an import may be interrupted between two parts. */
async function recordImport(tx: Tx, path: string, done: ImportSummary, bills: number): Promise<void> {
  const { billsCreated, billsChanged, itemsCreated } = done;
  if (billsCreated + billsChanged + itemsCreated === 0) return;
  await recordOperatorAction(tx, {
    ...{ actor: operatorName(), action: "bill.import", object: `bill-file:${basename(path)}`.slice(0, 300) },
    detail: `up to bill ${bills} of the file: ${billsCreated} created, ${billsChanged} changed, ${itemsCreated} items added`,
  });
}

/** Lines of a file that cannot be taken; nothing was written. */
export class BadLines extends Fault {
  readonly problems: readonly LineProblem[];

  constructor(
    readonly count: number,
    problems: readonly LineProblem[],
  ) {
    const lines = `${count} bad line${count === 1 ? "" : "s"}`;
    super("bad_lines", `${lines}, nothing was imported (--skip-bad leaves such bills out)`);
    this.problems = problems.toSorted((a, b) => a.line - b.line);
  }
}

interface CheckedEntry {
  readonly bill: ImportedBill;
  lineOf(reference: string): number;
}

/** The good bills of a file, in batches; what is bad is noted, and so are good bills that may lack an item. */
async function* batchesOf(
  path: string,
  catalog: Catalog,
  seen: Map<string, number>,
  note: (found: readonly LineProblem[]) => void,
  noteLeftOut: (line: number) => void,
  onRead: (bytes: number) => void,
): AsyncGenerator<CheckedEntry[]> {
  let batch: CheckedEntry[] = [];
  for await (const entry of readBillFile(path, onRead)) {
    const { lines, unreadable, isBesideUnreadable } = entry;
    note(unreadable);
    const [first] = lines;
    if (first === undefined) continue;
    const name = `${first.product_code}:${first.bill_number}`;
    const earlier = seen.get(name);
    const product = catalog.products.get(first.product_code);
    if (earlier !== undefined) {
      note([
        { line: first.line, problem: `its bill stands on line ${earlier} already; lines of one bill stand together` },
      ]);
      continue;
    }
    seen.set(name, first.line);
    if (product === undefined) {
      note([{ line: first.line, problem: `there is no product ${JSON.stringify(first.product_code.slice(0, 20))}` }]);
      continue;
    }
    const checked = checkBillLines(lines, product);
    if (!checked.ok) {
      note(checked.problems);
      continue;
    }
    // The line that cannot be read may have been an item of this bill.
    if (unreadable.length > 0 || isBesideUnreadable) {
      noteLeftOut(first.line);
      continue;
    }
    const lineOf = (reference: string): number =>
      lines.find((line) => line.reference === reference)?.line ?? first.line;
    batch.push({ bill: checked.bill, lineOf });
    if (batch.length === BATCH_BILLS) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

function statOf(path: string): { size: number; mtimeMs: number } {
  try {
    const { size, mtimeMs } = statSync(path);
    return { size, mtimeMs };
  } catch (error) {
    throw new Fault("bill_file", `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function percent(bytes: number, size: number): string {
  return `${size === 0 ? 100 : Math.min(100, Math.floor((bytes * 100) / size))} %`;
}
