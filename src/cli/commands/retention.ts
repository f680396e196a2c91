import { type Command, InvalidArgumentError } from "commander";
import { compileProduct, type Product } from "../../flows";
import { findForgettable, forgetBill } from "../../ops";
import { ConfigFault, Fault, messageOf } from "../../platform";
import { readProducts } from "../../store";
import { operatorName } from "../operator-name";
import { print, printTable } from "../output";
import { withOwner } from "../with-database";
import { withServices } from "../with-services";
import { archiveCommands } from "./archive";

interface ForgetOptions {
  readonly bill?: string;
  readonly customer?: string;
  readonly olderThan?: number;
  readonly because?: string;
  readonly confirm?: number;
}

/** `retention forget`. */
export function retentionCommands(program: Command, exit: (code: number) => void): void {
  const retention = program.command("retention").description("what is forgotten, archived and restored");
  archiveCommands(retention);
  retention
    .command("forget")
    .description("mask names and contacts of bills that are done; without --confirm it only shows which")
    .option("--bill <productCode:billNumber>", "this bill")
    .option("--customer <text>", "every bill with exactly this name, e-mail address or telephone number")
    .option("--older-than <months>", "bills that nothing has happened to for so long", wholeNumber)
    .option("--because <reason>", "written down with the action; no names")
    .option("--confirm <count>", "how many bills are to be masked: the number that was shown", wholeNumber)
    .addHelpText(
      "after",
      `
Amounts, references, entries, postings and seals stay as they are. A bill that is open, that somebody may be paying, or
that an exception is open about is left alone. It cannot be undone.`,
    )
    .action(async (options: ForgetOptions) => {
      const { bill = null, customer = null, olderThan = null } = options;
      if (bill === null && customer === null && olderThan === null) {
        throw new ConfigFault("nothing was masked", ["say which: --bill, --customer or --older-than"]);
      }
      await withServices((services) =>
        withOwner(services, async ({ transact }) => {
          const found = await transact((tx) =>
            findForgettable(tx, { billKey: bill, customer, olderThanMonths: olderThan }),
          );
          const ready = found.filter(({ obstacle }) => obstacle === null);
          if (options.confirm === undefined) {
            printTable(
              ["bill", "stored answers", "left alone, since"],
              found.map((each) => [each.billKey, String(each.replies), each.obstacle ?? ""]),
            );
            print(
              `${ready.length} to be masked; nothing was changed. To do it: --confirm ${ready.length} --because "…"`,
            );
            return;
          }
          const { because: reason = "" } = options;
          if (reason === "") throw new ConfigFault("nothing was masked", ["say why: --because"]);
          if (options.confirm !== ready.length) {
            throw new Fault(
              "not_confirmed",
              `it would be ${ready.length} bills, not ${options.confirm}: nothing was masked`,
            );
          }
          const products = new Map((await transact(readProducts)).map((each) => [each.productCode, each]));
          const layoutOf = (productCode: string): Product["layout"] | null => {
            const stored = products.get(productCode);
            return stored === undefined ? null : compileProduct(productCode, stored.name, stored.definition).layout;
          };
          let masked = 0;
          for (const { billKey } of ready) {
            try {
              await transact((tx) => forgetBill(tx, billKey, { actor: operatorName(), reason, layoutOf }));
              masked += 1;
            } catch (error) {
              print(`${billKey}: ${messageOf(error)}`);
              exit(1);
            }
          }
          print(`${masked} of ${ready.length} bills masked`);
        }),
      );
    });
}

function wholeNumber(text: string): number {
  if (!/^[0-9]{1,4}$/.test(text)) throw new InvalidArgumentError("must be a whole number up to 9999");
  return Number(text);
}
