import type { Command } from "commander";
import { compileProduct, type Product } from "../../flows";
import { dossierText, readDossier } from "../../ops";
import { Fault } from "../../platform";
import { readProducts } from "../../store";
import { print, printJson } from "../output";
import { withApp } from "../with-database";
import { withServices } from "../with-services";

/** `ledger dossier`. */
export function dossierCommand(program: Command): void {
  const ledger =
    program.commands.find((command) => command.name() === "ledger") ??
    program.command("ledger").description("the books: what is in them, and whether they are whole");
  ledger
    .command("dossier <traxId>")
    .description("everything that is known of one payment, in order")
    .option("--personal", "show names and contacts, which are masked otherwise")
    .option("--json", "machine-readable output")
    .action(async (traxId: string, options: { personal?: true; json?: true }) => {
      const dossier = await withServices((services) =>
        withApp(services, ({ transact }) =>
          transact(async (tx) => {
            const products = new Map((await readProducts(tx)).map((each) => [each.productCode, each]));
            const layoutOf = (productCode: string): Product["layout"] | null => {
              const stored = products.get(productCode);
              return stored === undefined ? null : compileProduct(productCode, stored.name, stored.definition).layout;
            };
            return readDossier(tx, traxId, { withPersonal: options.personal === true, layoutOf });
          }),
        ),
      );
      if (dossier === null) throw new Fault("no_trax", `nothing is known of traxId ${traxId}`);
      if (options.json) printJson(dossier);
      else print(dossierText(dossier));
    });
}
