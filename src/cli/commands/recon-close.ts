import { writeFileSync } from "node:fs";
import { type Command, Option } from "commander";
import {
  closeDay,
  CSV_SEPARATORS,
  type CsvSeparator,
  type CloseOutcome,
  inSession,
  parseBody,
  readClose,
  REPORT_FORMATS,
  REPORT_LANGUAGES,
  type ReportFormat,
  type ReportLanguage,
  reportOf,
} from "../../ops";
import { loadCatalog } from "../../flows";
import { Fault, messageOf, systemClock } from "../../platform";
import { actorOf, calendarDate, confirm, datesBetween, type OperatorOptions, withOperatorOptions } from "../operator";
import { print, printJson, rupiahText, say } from "../output";
import { withApp } from "../with-database";
import { withServices } from "../with-services";

/** `recon close|report`. */
export function reconCloseCommands(recon: Command): void {
  withOperatorOptions(
    recon
      .command("close")
      .description("close a business date; a closed one is computed again as of its close and compared")
      .requiredOption("--date <yyyy-mm-dd>", "business date, or the first of several", calendarDate)
      .option("--to <yyyy-mm-dd>", "the last of several", calendarDate),
  ).action(async (options: OperatorOptions & { readonly date: string; readonly to?: string }) => {
    const dates = datesBetween(options.date, options.to);
    if (!(await confirm(`Close ${dates.join(", ")}? What comes later is listed in the next day.`, options))) return;
    const outcomes: CloseOutcome[] = [];
    await withServices(async (services, config) => {
      const actor = actorOf(options, config);
      const catalog = await withApp(services, ({ transact, secrets }) => transact((tx) => loadCatalog(tx, secrets)));
      const cutOffs = [...catalog.partners.values()].map(({ dialect }) => dialect.cutOff);
      for (const businessDate of dates) {
        const { databaseUrl } = services;
        const outcome = await closeDay({ databaseUrl, businessDate, actor, nowMs: systemClock.nowMs(), cutOffs });
        outcomes.push(outcome);
        if (!options.json) show(outcome);
      }
    });
    if (options.json)
      printJson(outcomes.map(({ close: { body: _body, ...close }, ...rest }) => ({ ...rest, ...close })));
    const changed = outcomes.filter((each) => each.kind === "known" && !each.isIdentical);
    if (changed.length > 0) {
      const days = changed.map(({ close }) => close.businessDate).join(", ");
      throw new Fault("close_changed", `the books say something else about ${days} now than when it was closed`);
    }
  });

  recon
    .command("report")
    .description("a closed day as CSV, workbook, PDF, or the very bytes that were hashed")
    .requiredOption("--date <yyyy-mm-dd>", "business date", calendarDate)
    .requiredOption("--out <file>", "where to; - for standard output")
    .addOption(new Option("--format <format>", "what").choices([...REPORT_FORMATS]).default("pdf"))
    .addOption(new Option("--lang <language>", "in which language").choices([...REPORT_LANGUAGES]).default("id"))
    .addOption(
      new Option("--csv-separator <separator>", "between columns of CSV; id: semicolon, en: comma").choices([
        ...CSV_SEPARATORS,
      ]),
    )
    .action(
      async (options: {
        date: string;
        out: string;
        format: ReportFormat;
        lang: ReportLanguage;
        csvSeparator?: CsvSeparator;
      }): Promise<void> => {
        const { close, billerName } = await withServices(async ({ databaseUrl: url }, config) => ({
          close: await inSession({ url, isolation: "read committed" }, (session) => readClose(session, options.date)),
          billerName: config.billerName,
        }));
        if (close === null) throw new Fault("day_open", `business date ${options.date} is not closed`);
        const separator = options.csvSeparator ?? null;
        const bytes = await reportOf(close, options.format, options.lang, { billerName, separator });
        if (options.out === "-") {
          process.stdout.write(bytes);
          return;
        }
        try {
          writeFileSync(options.out, bytes);
        } catch (error) {
          throw new Fault("unwritable", `${options.out} cannot be written: ${messageOf(error)}`, { cause: error });
        }
        say(`${options.out}: ${bytes.length} bytes`);
      },
    );
}

function show(outcome: CloseOutcome): void {
  const { close } = outcome;
  const { receivable, openExceptions, late } = parseBody(close);
  const text = (digits: string): string =>
    digits.startsWith("-") ? `-${rupiahText(BigInt(digits.slice(1)))}` : rupiahText(BigInt(digits));
  if (outcome.kind === "known") {
    const verdict = outcome.isIdentical ? "the same bytes again" : "NOT the same any more";
    print(`${close.businessDate}: closed by ${close.closedBy} as of ${close.asOf}; computed again: ${verdict}`);
  } else print(`${close.businessDate}: closed as of ${close.asOf}`);
  print(
    `  due from switch: ${text(receivable.opening)} + ${text(receivable.accepted)} accepted - ${text(receivable.reversed)} ` +
      `reversed - ${text(receivable.settled)} settled + ${text(receivable.corrected)} corrected + ` +
      `${text(receivable.late)} late = ${text(receivable.closing)}`,
  );
  const open = openExceptions.reduce((sum, { count }) => sum + count, 0);
  print(`  ${open} open exceptions, ${late.length} late entries; sha256 ${close.sha256}`);
}
