import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { isDeepStrictEqual } from "node:util";
import type { Command } from "commander";
import { checkProductFile, type CheckedProduct, compileProduct, productFileJsonSchema, PRODUCTS } from "../../flows";
import { Fault, type Tx } from "../../platform";
import {
  type ProductUse,
  readProducts,
  readProductUse,
  recordOperatorAction,
  saveProduct,
  type StoredProduct,
} from "../../store";
import { parseStrictJson } from "../../wire";
import { operatorName } from "../operator-name";
import { print, printJson, printTable, say } from "../output";
import { changesBetween } from "../product-changes";
import { type DatabaseContext, withOwner } from "../with-database";
import { withServices } from "../with-services";

const FILE_LIMITS = { maxDepth: 24, maxBytes: 1_048_576 };

/** `product list`, `show`, `check`, `load`, `schema`. */
export function productCommands(program: Command, exit: (code: number) => void): void {
  const product = program.command("product").description("products: layouts and rules as data (see docs/PRODUCTS.md)");

  product
    .command("list")
    .description("all products, stored or shipped with the host")
    .option("--json", "machine-readable output")
    .action(async (options: { json?: true }) => {
      await withOwnerOf(async ({ transact }) => showList(await transact(listProducts), options.json === true));
    });

  product
    .command("show <code>")
    .description("a product as a file that may be changed and loaded again; the stored one, or else the shipped one")
    .action(async (code: string) => {
      await withOwnerOf(async ({ transact }) => {
        const stored = (await transact(readProducts)).find(({ productCode }) => productCode === code);
        const found = stored ?? PRODUCTS.find(({ productCode }) => productCode === code);
        if (found === undefined) throw new Fault("unknown_product", `no product ${code}; see biller product list`);
        if (stored === undefined) say(`product ${code} ships with the host and is not stored yet`);
        const { productCode, name, definition } = found;
        printJson({ productCode, name, definition });
      });
    });

  product
    .command("check <file>")
    .description("everything that is wrong with a product's file, its samples tried; needs no database")
    .option("--json", "machine-readable output")
    .action((file: string, options: { json?: true }) => {
      const checked = checkFile(file);
      if (options.json) printJson(checked.ok ? { file, faults: [] } : { file, faults: checked.faults });
      if (!checked.ok) {
        exit(1);
        if (!options.json) showFaults(file, checked.faults);
      } else if (!options.json) print(`${file}: ${summaryOf(checked)}`);
    });

  product
    .command("load <file>")
    .description("check a product's file and store it; a running host knows it within two seconds")
    .option("--yes", "replace a product that is in use without asking")
    .action(async (file: string, options: { yes?: true }) => {
      const checked = checkFile(file);
      if (!checked.ok) {
        exit(1);
        showFaults(file, checked.faults);
        return;
      }
      say(`${file}: ${summaryOf(checked)}`);
      await withOwnerOf(async (context) => {
        if (!(await load(context, checked.shipped, options.yes === true))) exit(1);
      });
    });

  product
    .command("schema")
    .description("the JSON Schema of a product's file, for editors; needs no database")
    .action(() => printJson(productFileJsonSchema()));
}

function withOwnerOf(work: (context: DatabaseContext) => Promise<void>): Promise<void> {
  return withServices((services) => withOwner(services, work));
}

/** @throws Fault `product_file` when it cannot be read as one JSON object; a key given twice is such a case */
function checkFile(file: string): CheckedProduct {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Fault("product_file", `${file} cannot be read`, { cause: error });
  }
  const json = parseStrictJson(text.replace(/^\uFEFF/, ""), FILE_LIMITS);
  if (!json.ok) throw new Fault("product_file", `${file} is no JSON object that can be taken: ${json.detail}`);
  return checkProductFile(json.value);
}

function summaryOf({ shipped, product, samples }: Extract<CheckedProduct, { ok: true }>): string {
  const { layout, rules } = product;
  const tried = samples === 0 ? "it has no samples" : `${samples} sample${samples === 1 ? "" : "s"} agree`;
  return `product ${shipped.productCode}, rule ${rules.rule.kind}, bit61 up to ${layout.widest} columns; ${tried}`;
}

function showFaults(file: string, faults: readonly string[]): void {
  for (const fault of faults) say(`! ${fault}`);
  say(`${file}: ${faults.length} fault${faults.length === 1 ? "" : "s"}`);
}

interface Listed extends ProductUse {
  readonly productCode: string;
  readonly name: string;
  readonly rule: string;
  readonly isStored: boolean;
}

async function listProducts(tx: Tx): Promise<Listed[]> {
  const stored = await readProducts(tx);
  const codes = new Set(stored.map(({ productCode }) => productCode));
  const all = [...stored, ...PRODUCTS.filter(({ productCode }) => !codes.has(productCode))];
  const listed: Listed[] = [];
  for (const { productCode, name, definition } of all.toSorted((a, b) => (a.productCode < b.productCode ? -1 : 1))) {
    const use = await readProductUse(tx, productCode);
    listed.push({ productCode, name, rule: ruleOf(productCode, definition), isStored: codes.has(productCode), ...use });
  }
  return listed;
}

function ruleOf(productCode: string, definition: unknown): string {
  try {
    return compileProduct(productCode, "", definition).rules.rule.kind;
  } catch {
    return "(not valid)";
  }
}

function showList(listed: readonly Listed[], isJson: boolean): void {
  if (isJson) {
    printJson(listed);
    return;
  }
  printTable(
    ["code", "name", "rule", "stored", "partners", "bills"],
    listed.map(({ productCode, name, rule, isStored, partners, hasBills }) => [
      productCode,
      name,
      rule,
      isStored ? "yes" : "no",
      partners.join(","),
      hasBills ? "yes" : "no",
    ]),
  );
}

/** @returns false when the one who was asked did not agree */
async function load({ transact }: DatabaseContext, wanted: StoredProduct, isAgreed: boolean): Promise<boolean> {
  const { productCode } = wanted;
  const { stored, use } = await transact(async (tx) => ({
    stored: await readProduct(tx, productCode),
    use: await readProductUse(tx, productCode),
  }));
  const changes = stored === null ? [] : changesBetween(contentOf(stored), contentOf(wanted));
  if (stored !== null && changes.length === 0) {
    print(`product ${productCode} is stored as it is in the file; nothing was changed`);
    return true;
  }
  for (const change of changes) print(change);
  const isInUse = use.partners.length > 0 || use.hasBills;
  if (stored !== null && isInUse && !isAgreed) {
    const users = use.partners.length === 0 ? "no partner" : `partner ${use.partners.join(", ")}`;
    say(`product ${productCode} is in use: ${users}; ${use.hasBills ? "it has bills" : "it has no bills"}`);
    if (!(await isConfirmed("replace it? [y/N] "))) {
      say("nothing was changed");
      return false;
    }
  }
  await transact(async (tx) => {
    // What was shown and agreed to must be what is replaced.
    if (!isDeepStrictEqual(await readProduct(tx, productCode), stored)) {
      throw new Fault("product_changed", `product ${productCode} was changed by somebody else in the meantime`);
    }
    await saveProduct(tx, wanted);
    await recordOperatorAction(tx, {
      ...{ actor: operatorName(), action: "product.load", object: `product:${productCode}` },
      ...(stored === null ? {} : { before: contentOf(stored) }),
      after: contentOf(wanted),
      detail: changes.join("\n"),
    });
  });
  print(
    `product ${productCode} ${stored === null ? "stored" : "replaced"}; a running host knows it within two seconds`,
  );
  return true;
}

async function readProduct(tx: Tx, code: string): Promise<StoredProduct | null> {
  return (await readProducts(tx)).find(({ productCode }) => productCode === code) ?? null;
}

/** As the database gives it back: what JSON does not hold is gone. */
function contentOf({ name, definition }: StoredProduct): unknown {
  return JSON.parse(JSON.stringify({ name, ...(definition as Record<string, unknown>) }));
}

/** Asks on standard error and reads a line of standard input; without one, the answer is no. */
async function isConfirmed(question: string): Promise<boolean> {
  process.stderr.write(question);
  const lines = createInterface({ input: process.stdin });
  try {
    for await (const line of lines) return /^(y|yes)$/i.test(line.trim());
    return false;
  } finally {
    lines.close();
  }
}
