import { type Command, InvalidArgumentError, Option } from "commander";
import { actorText } from "../../domain";
import {
  DEFAULT_DUE,
  type Expectation,
  EXPECTED_DAYS,
  type ExpectationRequest,
  importSettlementFile,
  type ImportOutcome,
  inSession,
  listExpectations,
  setExpectation,
} from "../../ops";
import { ConfigFault } from "../../platform";
import { calendarDate, type OperatorOptions, today, withOperatorOptions } from "../operator";
import { actorOf } from "../operator-name";
import { whole } from "../options";
import { print, printJson, printTable, rupiahText, startProgress } from "../output";
import { withServices } from "../with-services";

/** `recon import`, `recon expect set|list|remove`. */
export function reconFileCommands(recon: Command): void {
  importCommand(recon);
  const expect = recon
    .command("expect")
    .description("for which business dates a settlement file is expected, and until when")
    .addHelpText(
      "after",
      `
A file that has not come by its due time is an exception (missing-file), and its day is not closed without two people:
  biller recon expect set --profile finpay --days weekdays --except 2026-12-25 --due 09:00
A change counts from a business date on (--from, default today); what was set before stays to be read.`,
    );
  setCommand(expect);
  removeCommand(expect);
  listCommand(expect);
}

function importCommand(recon: Command): void {
  recon
    .command("import <file>")
    .description("store a settlement file; the same file again changes nothing, a stopped import leaves nothing")
    .requiredOption("--profile <code>", "how the file is laid out")
    .option("--date <yyyy-mm-dd>", "business date of the file, where its name does not tell", calendarDate)
    .option("--replace", "a changed file of a known name becomes its next version; the one before stays readable")
    .option("--accept-totals", "take the file although its control totals do not agree; that is kept with the file")
    .option("--as <name>", "who you are; default BILLER_OPERATOR, else your account")
    .option("--same-content", "take a file with lines although another date or product has the very same content")
    .option("--supplement-of <file>", "its lines are those that this file should have had", wholeNumber)
    .option(
      "--for-line <numbers>",
      "with --supplement-of: the unreadable lines that it corrects, such as 3,7",
      lineNumbers,
    )
    .option("--json", "machine-readable output")
    .addHelpText(
      "after",
      `
A line that could not be read comes again in a further file of the same form, also after its file was settled:
  biller recon import corrected.txt --profile finpay --supplement-of 12 --for-line 3,7`,
    )
    .action(async (path: string, options: ImportOptions) => {
      if (options.forLine !== undefined && options.supplementOf === undefined) {
        throw new ConfigFault("wrong usage", ["--for-line goes with --supplement-of"]);
      }
      const progress = startProgress("importing");
      const outcome = await withServices(({ databaseUrl }, config) =>
        importSettlementFile({
          ...{
            databaseUrl,
            profileCode: options.profile,
            path,
            date: options.date ?? null,
            by: actorText(actorOf(options, config)),
          },
          mayReplace: options.replace === true,
          acceptsTotals: options.acceptTotals === true,
          acceptsSameContent: options.sameContent === true,
          supplement:
            options.supplementOf === undefined
              ? null
              : { ofFileId: options.supplementOf, lineNos: options.forLine ?? [] },
          onProgress: ({ bytes, ofBytes, lines }) =>
            progress.update(`${Math.floor((100 * bytes) / ofBytes)} %, ${lines} lines`),
        }),
      ).finally(() => progress.done());
      if (options.json) printJson(outcome);
      else showImport(outcome);
    });
}

interface ImportOptions {
  readonly profile: string;
  readonly date?: string;
  readonly replace?: true;
  readonly acceptTotals?: true;
  readonly sameContent?: true;
  readonly supplementOf?: number;
  readonly forLine?: readonly number[];
  readonly as?: string;
  readonly json?: true;
}

function showImport({ kind, file, ...outcome }: ImportOutcome & { readonly replaced?: number | null }): void {
  const { fileId, fileName, version, settlementDate, lines, badLines, amount, fee } = file;
  const what = `file ${fileId}, ${fileName} version ${version}`;
  if (kind === "known") {
    print(`nothing to do: this content is known as ${what}`);
    if (file.supersededBy !== null) {
      print(`that version was replaced by file ${file.supersededBy}; with --replace it takes its place again`);
    }
    return;
  }
  print(`stored as ${what}, business date ${settlementDate}`);
  print(`${lines} lines, ${rupiahText(amount)}, fees ${rupiahText(fee)}`);
  if (file.supplementOf !== null) print(`it supplements file ${file.supplementOf}; run the date again`);
  if (badLines > 0) {
    print(`${badLines} lines cannot be read: biller recon show --file ${fileId} --class unreadable`);
    print("each is an exception: biller recon exceptions --class unreadable-line");
  }
  if (file.totalsFault !== null) print(`control totals do not agree: ${file.totalsFault}`);
  for (const remark of file.remarks) print(remark);
  if (outcome.replaced !== null) print(`file ${outcome.replaced} is replaced; run the date again`);
}

interface ExpectOptions extends OperatorOptions {
  readonly profile: string;
  readonly partner?: string;
  readonly product?: string;
  readonly from?: string;
}

interface SetOptions extends ExpectOptions {
  readonly days: ExpectationRequest["days"];
  readonly except?: readonly string[];
  readonly also?: readonly string[];
  readonly due: string;
  readonly dueDays: number;
}

function withSubject(command: Command): Command {
  return withOperatorOptions(command)
    .requiredOption("--profile <code>", "of which profile")
    .option("--partner <userName>", "of which partner; default that of the profile")
    .option(
      "--product <code>",
      "a file of its own for this product; default one file of whatever products",
      productCode,
    )
    .option("--from <yyyy-mm-dd>", "the first business date that this counts for; default today", calendarDate);
}

function setCommand(expect: Command): void {
  withSubject(expect.command("set"))
    .description("expect a file on each of these business dates")
    .addOption(new Option("--days <days>", "on which days").choices([...EXPECTED_DAYS]).default("every-day"))
    .option("--except <dates>", "business dates without a file, such as 2026-12-25,2027-01-01", dates)
    .option("--also <dates>", "business dates with a file although the days do not say so", dates)
    .option("--due <hh:mm>", "the time it is due at, in Jakarta", clockTime, DEFAULT_DUE.dueTime)
    .option("--due-days <n>", "how many days after the business date it is due", whole(0, 31), DEFAULT_DUE.dueDays)
    .action((options: SetOptions) =>
      store(options, {
        ...subjectOf(options),
        isExpected: true,
        days: options.days,
        exceptDates: options.except ?? [],
        alsoDates: options.also ?? [],
        dueDays: options.dueDays,
        dueTime: options.due,
      }),
    );
}

function removeCommand(expect: Command): void {
  withSubject(expect.command("remove"))
    .description("expect none any more; what is open about files of these dates closes itself")
    .action((options: ExpectOptions) =>
      store(options, {
        ...subjectOf(options),
        isExpected: false,
        days: "every-day",
        exceptDates: [],
        alsoDates: [],
        ...DEFAULT_DUE,
      }),
    );
}

function subjectOf(options: ExpectOptions) {
  return {
    profileCode: options.profile,
    partner: options.partner ?? null,
    productCode: options.product ?? null,
    validFrom: options.from ?? today(),
  };
}

async function store(options: OperatorOptions, request: ExpectationRequest): Promise<void> {
  const stored = await withServices(({ databaseUrl: url }, config) =>
    inSession({ url, isolation: "read committed", profileLock: request.profileCode }, (session) =>
      setExpectation(session, actorOf(options, config), request),
    ),
  );
  if (options.json) printJson(stored);
  else if (!stored.isNew) print(`nothing changes: that is version ${stored.version}`);
  else print(`version ${stored.version}: ${wordsOf(stored.expectation)}`);
}

function listCommand(expect: Command): void {
  expect
    .command("list")
    .description("which files are expected")
    .option("--profile <code>", "only of this profile")
    .option("--all", "also versions that a later one has overruled")
    .option("--json", "machine-readable output")
    .action(async (options: { profile?: string; all?: true; json?: true }) => {
      const filter = { profileCode: options.profile ?? null, withAll: options.all === true };
      const rows = await withServices(({ databaseUrl: url }) =>
        inSession({ url, isolation: "read committed" }, (session) => listExpectations(session, filter)),
      );
      if (options.json) printJson(rows);
      else if (rows.length === 0) print("no file is expected: biller recon expect set --profile <code>");
      else {
        printTable(
          ["profile", "partner", "product", "version", "what", "set by"],
          rows.map((row) => [
            row.profileCode,
            row.partner,
            row.productCode ?? "any",
            String(row.version),
            wordsOf(row),
            row.setBy,
          ]),
        );
      }
    });
}

function wordsOf(each: Expectation): string {
  if (!each.isExpected) return `from ${each.validFrom} none is expected`;
  const except = each.exceptDates.length === 0 ? "" : `, except ${each.exceptDates.join(", ")}`;
  const also = each.alsoDates.length === 0 ? "" : `, also ${each.alsoDates.join(", ")}`;
  const after =
    each.dueDays === 0 ? "of the same day" : each.dueDays === 1 ? "of the next day" : `${each.dueDays} days after`;
  const days = each.days === "weekdays" ? "Monday to Friday" : "every day";
  return `from ${each.validFrom} ${days}${except}${also}, due ${each.dueTime} WIB ${after}`;
}

function dates(text: string): string[] {
  return text.split(",").map((each) => calendarDate(each.trim()));
}

function clockTime(text: string): string {
  if (!/^([01][0-9]|2[0-3]):[0-5][0-9]$/.test(text)) throw new InvalidArgumentError("must be hh:mm");
  return text;
}

function productCode(text: string): string {
  if (!/^[0-9A-Za-z]{6}$/.test(text)) throw new InvalidArgumentError("must be a product code of six characters");
  return text;
}

function wholeNumber(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new InvalidArgumentError("must be a whole number above 0");
  return Number(text);
}

function lineNumbers(text: string): number[] {
  return text.split(",").map((each) => wholeNumber(each.trim()));
}
