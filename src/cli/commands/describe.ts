import type { Command } from "commander";
import { compileProduct, PRODUCTS } from "../../flows";
import { Fault } from "../../platform";
import { describeBit61 } from "../../wire";
import { print, printJson, printTable } from "../output";

/** `describe bit61`. */
export function describeCommands(program: Command, exit: (code: number) => void): void {
  const describe = program.command("describe").description("take a message apart, for support and integration work");
  describe
    .command("bit61 <product> <string>")
    .description("each field of a bit61 with offset, width and value; needs no database")
    .option("--json", "machine-readable output")
    .action((productCode: string, text: string, options: { json?: true }) => {
      const shipped = PRODUCTS.find((product) => product.productCode === productCode);
      if (shipped === undefined) {
        const known = PRODUCTS.map((product) => `${product.productCode} (${product.name})`).join(", ");
        throw new Fault("unknown_product", `no product ${productCode}; known: ${known}`);
      }
      const product = compileProduct(shipped.productCode, shipped.name, shipped.definition);
      const { rows, faults } = describeBit61(product.layout, text);
      if (faults.length > 0) exit(1);
      if (options.json) {
        printJson({ product: productCode, length: text.length, rows, faults });
        return;
      }
      printTable(
        ["offset", "width", "field", "kind", "value", "as received"],
        rows.map((row) => [
          String(row.offset),
          String(row.width),
          row.name,
          row.kind,
          row.value === null ? "(not readable)" : row.value,
          JSON.stringify(row.raw),
        ]),
      );
      print("");
      print(faults.length === 0 ? `${text.length} characters, as the layout says` : `${text.length} characters`);
      for (const fault of faults) print(`! ${fault}`);
    });
}
