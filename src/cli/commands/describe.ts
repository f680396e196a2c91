import type { Command } from "commander";
import { PRODUCTS } from "../../flows";
import { Fault } from "../../platform";
import { describeBit61, type RecordDescription } from "../../wire";
import { print, printJson, printTable } from "../output";
import { describeMessage, type MessageDescription, readText, shippedProduct } from "./describe-message";

/** `describe bit61`, `describe message`. */
export function describeCommands(program: Command, exit: (code: number) => void): void {
  const describe = program.command("describe").description("take a message apart, for support and integration work");

  describe
    .command("bit61 <product> <string>")
    .description("each field of a bit61 with offset, width and value; needs no database")
    .option("--json", "machine-readable output")
    .action((productCode: string, text: string, options: { json?: true }) => {
      const product = shippedProduct(productCode);
      if (product === null) {
        const known = PRODUCTS.map((each) => `${each.productCode} (${each.name})`).join(", ");
        throw new Fault("unknown_product", `no product ${productCode}; known: ${known}`);
      }
      const description = describeBit61(product.layout, text);
      if (description.faults.length > 0) exit(1);
      if (options.json) printJson({ product: productCode, length: text.length, ...description });
      else showRecord(description, text.length);
    });

  describe
    .command("message <file>")
    .description("a whole request or reply as JSON (- for standard input): fields, bit61, time stamp, signature")
    .option("--password <text>", "tell whether the signature fits, and under which hash and joiner")
    .option("--password-file <file>", "the same with the password from a file")
    .option("--json", "machine-readable output")
    .addHelpText(
      "after",
      "\nExit code 1 when a host would refuse it, or when a signature was asked for and does not fit.",
    )
    .action((file: string, options: { password?: string; passwordFile?: string; json?: true }) => {
      const password =
        options.passwordFile === undefined ? options.password : readText(options.passwordFile).replace(/\r?\n$/, "");
      const description = describeMessage(readText(file), password);
      if (description.faults.length > 0 || description.signature?.fits === false) exit(1);
      if (options.json) printJson(description);
      else showMessage(description);
    });
}

function showMessage({ fields, faults, timeStamp, bit61, signature }: MessageDescription): void {
  printTable(
    ["field", "length", "value"],
    fields.map(({ name, length, value }) => [name, String(length), JSON.stringify(value)]),
  );
  print("");
  print(`timeStamp: ${timeStamp === null ? "cannot be read" : `form ${timeStamp.form}, ${timeStamp.instant}`}`);
  if (signature !== null) {
    const { scheme } = signature;
    const joiner = scheme?.joiner === "" ? "nothing" : "a dot";
    print(
      scheme === null
        ? "! signature: fits under no hash that is known, or the password is another one"
        : `signature: fits, outer hash ${scheme.outer}, ${joiner} between the fields`,
    );
  }
  for (const fault of faults) print(`! ${fault}`);
  if (bit61 === null) return;
  print("\nbit61:");
  const { rows } = bit61;
  showRecord(
    bit61,
    rows.reduce((sum, row) => sum + row.raw.length, 0),
  );
}

function showRecord({ rows, faults }: RecordDescription, length: number): void {
  printTable(
    ["offset", "width", "field", "kind", "value", "as received"],
    rows.map((row) => [
      String(row.offset),
      String(row.width),
      row.name,
      row.kind,
      row.value ?? "(not readable)",
      JSON.stringify(row.raw),
    ]),
  );
  print("");
  print(faults.length === 0 ? `${length} characters, as the layout says` : `${length} characters`);
  for (const fault of faults) print(`! ${fault}`);
}
