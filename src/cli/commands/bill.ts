import type { Command } from "commander";
import { BILL_COLUMNS, loadCatalog } from "../../flows";
import { BadLines, importBillFile } from "../import-bill-file";
import { print, printJson, say } from "../output";
import { withOwner } from "../with-database";
import { withServices } from "../with-services";

/** `bill import`. */
export function billCommands(program: Command, exit: (code: number) => void): void {
  const bill = program.command("bill").description("what customers owe");
  bill
    .command("import <file>")
    .description("create bills from a CSV file; importing the same file again changes nothing")
    .option(
      "--skip-bad",
      "import the good bills and leave out those with a bad line; default: all of the file or nothing",
    )
    .option("--json", "machine-readable output")
    .addHelpText(
      "after",
      `
The file is UTF-8 with this header, one line for each item, the lines of one bill together, oldest item first:
  ${BILL_COLUMNS.join(",")}
fee_amount may be empty (the product's fee), due_at is YYYY-MM-DD hh:mm:ss in Jakarta time or empty (never expires),
details is a JSON object of texts with what the product's messages show beside. Columns that describe the bill may be
left empty after its first line. Example:
  001001,0021008457003,BUDI SANTOSO,5000,,304A,10000,"{""kodeDivre"":""02"",""kodeDatel"":""0001"",""npwp"":""""}"
  001001,0021008457003,,,,305A,10000,`,
    )
    .action(async (file: string, options: { skipBad?: true; json?: true }) => {
      await withServices((services) =>
        withOwner(services, async (context) => {
          const catalog = await context.transact((tx) => loadCatalog(tx, context.secrets));
          try {
            const report = await importBillFile(file, { skipBad: options.skipBad === true }, context, catalog);
            if (options.json) {
              printJson({ file, ...report });
              return;
            }
            showProblems(report.problems, report.badLines);
            const { bills, created, changed, items } = report;
            print(
              `${bills} bills read: ${created} created, ${changed} changed, ${bills - created - changed} as they were`,
            );
            print(`${items} items added${report.badLines === 0 ? "" : `, ${report.badLines} bad lines left out`}`);
          } catch (error) {
            if (!(error instanceof BadLines)) throw error;
            exit(1);
            if (options.json)
              printJson({ file, error: error.message, badLines: error.count, problems: error.problems });
            else {
              showProblems(error.problems, error.count);
              say(error.message);
            }
          }
        }),
      );
    });
}

function showProblems(problems: readonly { line: number; problem: string }[], count: number): void {
  for (const { line, problem } of problems) say(`line ${line}: ${problem}`);
  if (count > problems.length) say(`… and ${count - problems.length} more`);
}
