import { type Command, InvalidArgumentError, Option } from "commander";
import { listExceptions } from "../../store";
import { print, printJson, printTable, rupiahText } from "../output";
import { withOwner } from "../with-database";
import { withServices } from "../with-services";

const KINDS = ["double-collection", "suspense", "refund", "look-alike", "divergence"];

/** `exception list`. */
export function exceptionCommands(program: Command): void {
  const exception = program
    .command("exception")
    .description("what did not go as it should, and people have to look at");
  exception
    .command("list")
    .description("open exceptions, the latest first")
    .addOption(new Option("--kind <kind>", "only these").choices(KINDS))
    .option("--trax <traxId>", "only those about one payment")
    .option("--all", "closed ones as well")
    .option("--limit <n>", "as many at most", wholeNumber, 100)
    .option("--json", "machine-readable output")
    .addHelpText(
      "after",
      `
double-collection  a bill that was paid already was collected again: the customer may be owed money
suspense           money of a charge-first partner that fits no bill
refund             a reversal came after the payment's business date
look-alike         two payments of one amount on one open number within ten minutes
divergence         decided, but no answer reached the switch; closes by itself with a repeat or a reversal`,
    )
    .action(async (options: { kind?: string; trax?: string; all?: true; limit: number; json?: true }) => {
      const filter = {
        ...{ kind: options.kind ?? null, traxId: options.trax ?? null },
        ...{ withClosed: options.all === true, limit: options.limit },
      };
      const rows = await withServices((services) =>
        withOwner(services, ({ transact }) => transact((tx) => listExceptions(tx, filter))),
      );
      if (options.json) {
        printJson(rows);
        return;
      }
      if (rows.length === 0) {
        print("nothing to look at");
        return;
      }
      printTable(
        ["opened (UTC)", "kind", "partner", "traxId", "amount", "what", "closed"],
        rows.map((row) => [
          row.openedAt.toISOString().slice(0, 19).replace("T", " "),
          row.kind,
          row.userName,
          row.traxId,
          rupiahText(row.amount),
          row.detail,
          row.closedBecause ?? "",
        ]),
      );
    });
}

function wholeNumber(text: string): number {
  if (!/^[0-9]{1,5}$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError("must be a number from 1 to 99999");
  return Number(text);
}
