import { writeFileSync } from "node:fs";
import { type Command, Option } from "commander";
import {
  closeDay,
  CSV_SEPARATORS,
  type CsvSeparator,
  type CloseOutcome,
  inSession,
  parseBody,
  proposeReopening,
  proposeWithoutFiles,
  readCarried,
  readClose,
  REPORT_FORMATS,
  REPORT_LANGUAGES,
  type ReportFormat,
  type ReportLanguage,
  reportOf,
} from "../../ops";
import { loadCatalog } from "../../flows";
import { ConfigFault, Fault, messageOf, systemClock } from "../../platform";
import { calendarDate, confirm, datesBetween, type OperatorOptions, withDesk, withOperatorOptions } from "../operator";
import { actorOf } from "../operator-name";
import { whole } from "../options";
import { print, printJson, rupiahText, say } from "../output";
import { withApp } from "../with-database";
import { withServices } from "../with-services";

interface CloseOptions extends OperatorOptions {
  readonly date?: string;
  readonly first?: string;
  readonly to?: string;
  readonly withoutFile?: true;
  readonly because?: string;
}

/** `recon close|reopen|report`. */
export function reconCloseCommands(recon: Command): void {
  withOperatorOptions(
    recon
      .command("close")
      .description("close a business date; a closed one is computed again as of its close and compared")
      .option("--date <yyyy-mm-dd>", "business date, or the first of several", calendarDate)
      .option(
        "--first <yyyy-mm-dd>",
        "the same, and closed days begin there: what was before is its opening balance",
        calendarDate,
      )
      .option("--to <yyyy-mm-dd>", "the last of several", calendarDate)
      .option("--without-file", "propose to close the date without the expected files that have not come")
      .option("--because <text>", "with --without-file: why; kept in the close"),
  ).action(async (options: CloseOptions) => {
    const from = options.date ?? options.first;
    if (from === undefined || (options.date !== undefined && options.first !== undefined)) {
      throw new ConfigFault("wrong usage", ["name the date with --date, or with --first where closed days begin"]);
    }
    if (options.withoutFile) await proposeWithout(from, options);
    else await closeDates(datesBetween(from, options.to), options);
  });

  withOperatorOptions(
    recon
      .command("reopen")
      .description("propose to open a closed date again, and every later one with it; somebody else approves")
      .requiredOption("--date <yyyy-mm-dd>", "the first business date to open again", calendarDate)
      .requiredOption("--because <text>", "why; kept for good"),
  )
    .addHelpText(
      "after",
      "\nWhat was closed stays as evidence: biller recon report --date D --version-no 1. The dates are then closed again in order.",
    )
    .action(async (options: OperatorOptions & { readonly date: string; readonly because: string }) => {
      const reason = reasonOf(options.because);
      await withDesk(options, async ({ transact, actor }) => {
        const made = await transact((tx) => proposeReopening(tx, actor, options.date, reason));
        if (options.json) {
          printJson(made);
          return;
        }
        print(`proposed by ${actor.name}: open again ${made.days.map((day) => day.businessDate).join(", ")}`);
        print(`biller recon approve ${made.proposalId.slice(0, 13)} --as <somebody else>`);
      });
    });

  recon
    .command("report")
    .description("a closed day as CSV, workbook, PDF, or the very bytes that were hashed")
    .requiredOption("--date <yyyy-mm-dd>", "business date", calendarDate)
    .requiredOption("--out <file>", "where to; - for standard output")
    .option("--version-no <n>", "a close that counts no more", whole(1, 1_000_000))
    .addOption(new Option("--format <format>", "what").choices([...REPORT_FORMATS]).default("pdf"))
    .addOption(new Option("--lang <language>", "in which language").choices([...REPORT_LANGUAGES]).default("id"))
    .addOption(
      new Option("--csv-separator <separator>", "between columns of CSV; id: semicolon, en: comma").choices([
        ...CSV_SEPARATORS,
      ]),
    )
    .action(async (options: ReportOptions): Promise<void> => {
      const { versionNo = null, csvSeparator: separator = null } = options;
      const { close, billerName } = await withServices(async ({ databaseUrl: url }, config) => ({
        close: await inSession({ url, isolation: "read committed" }, (session) =>
          readClose(session, options.date, versionNo),
        ),
        billerName: config.billerName,
      }));
      if (close === null && versionNo !== null) {
        throw new Fault("day_open", `business date ${options.date} has no version ${versionNo}`);
      }
      if (close === null) throw new Fault("day_open", `business date ${options.date} is not closed`);
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
    });
}

interface ReportOptions {
  readonly date: string;
  readonly out: string;
  readonly format: ReportFormat;
  readonly lang: ReportLanguage;
  readonly versionNo?: number;
  readonly csvSeparator?: CsvSeparator;
}

function reasonOf(because: string | undefined): string {
  const reason = (because ?? "").trim();
  if (reason.length < 3 || reason.length > 500) {
    throw new ConfigFault("wrong usage", ["--because must say why, in 3 to 500 characters"]);
  }
  return reason;
}

async function proposeWithout(businessDate: string, options: CloseOptions): Promise<void> {
  const reason = reasonOf(options.because);
  const request = { businessDate, reason, nowMs: systemClock.nowMs() };
  await withDesk(options, async ({ transact, actor }) => {
    const made = await transact((tx) => proposeWithoutFiles(tx, actor, request));
    if (options.json) printJson(made);
    else {
      print(`proposed by ${actor.name} for ${made.proposalIds.length} missing files of ${businessDate}`);
      print(`biller recon approve ${made.batchId.slice(0, 13)} --as <somebody else>, then close the date`);
    }
  });
}

async function closeDates(dates: readonly string[], options: CloseOptions): Promise<void> {
  const carried = options.first === undefined ? "" : await carriedBefore(options.first);
  const question = `${carried}Close ${dates.join(", ")}? What comes later is listed in the next day.`;
  if (!(await confirm(question, options))) return;
  const outcomes: CloseOutcome[] = [];
  await withServices(async (services, config) => {
    const actor = actorOf(options, config);
    const catalog = await withApp(services, ({ transact, secrets }) => transact((tx) => loadCatalog(tx, secrets)));
    const cutOffs = [...catalog.partners.values()].map(({ dialect }) => dialect.cutOff);
    for (const businessDate of dates) {
      const { databaseUrl } = services;
      const isBegin = businessDate === options.first;
      const nowMs = systemClock.nowMs();
      const outcome = await closeDay({ databaseUrl, businessDate, isBegin, actor, nowMs, cutOffs });
      outcomes.push(outcome);
      if (!options.json) show(outcome);
    }
  });
  if (options.json) {
    printJson(outcomes.map(({ close: { body: _body, ...close }, ...rest }) => ({ ...rest, ...close })));
  }
  const changed = outcomes.filter((each) => each.kind === "known" && !each.isIdentical);
  if (changed.length > 0) {
    const days = changed.map(({ close }) => close.businessDate).join(", ");
    throw new Fault("close_changed", `the books say something else about ${days} now than when it was closed`);
  }
}

/** What a first close takes over from the time before it, in words. */
async function carriedBefore(first: string): Promise<string> {
  const { earliest, accounts } = await withServices(({ databaseUrl: url }) =>
    inSession({ url, isolation: "read committed" }, (session) => readCarried(session, first)),
  );
  if (earliest === null) return "";
  const balances = accounts.map(({ account, balance }) => `${account} ${signed(balance)}`);
  return `Closed days begin at ${first}; ${earliest} and later dates before it are never closed. Opening: ${balances.join(", ")}. `;
}

function signed(amount: bigint): string {
  return amount < 0n ? `-${rupiahText(-amount)}` : rupiahText(amount);
}

function show(outcome: CloseOutcome): void {
  const { close } = outcome;
  const body = parseBody(close);
  const { receivable, openExceptions, late } = body;
  const text = (digits: string): string => signed(BigInt(digits));
  const name = close.version === 1 ? close.businessDate : `${close.businessDate}, version ${close.version}`;
  if (outcome.kind === "known") {
    const verdict = outcome.isIdentical ? "the same bytes again" : "NOT the same any more";
    print(`${name}: closed by ${close.closedBy} as of ${close.asOf}; computed again: ${verdict}`);
  } else print(`${name}: closed as of ${close.asOf}`);
  print(
    `  due from switch: ${text(receivable.opening)} + ${text(receivable.accepted)} accepted - ${text(receivable.reversed)} ` +
      `reversed - ${text(receivable.settled)} settled + ${text(receivable.corrected)} corrected + ` +
      `${text(receivable.late)} late = ${text(receivable.closing)}`,
  );
  const open = openExceptions.reduce((sum, { count }) => sum + count, 0);
  print(`  ${open} open exceptions, ${late.length} late entries; sha256 ${close.sha256}`);
  for (const { profile, product, reason, proposedBy, approvedBy } of body.expectedFiles ?? []) {
    if (reason === null) continue;
    const what = product === null ? profile : `${profile}, product ${product}`;
    print(`  without the file of ${what}: ${reason} (${proposedBy} and ${approvedBy})`);
  }
  for (const { partner, product, count, amount } of body.paymentsWithoutFile ?? []) {
    say(
      `warning: ${count} payments of ${partner}, product ${product}, ${text(amount)}: no file has come and none is expected ` +
        "(biller recon expect set)",
    );
  }
}
