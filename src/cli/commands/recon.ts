import { type Command, InvalidArgumentError, Option } from "commander";
import { actorText, dateAfter, type MatchRule, parseMatchRules, RECONCILIATION_CLASSES } from "../../domain";
import {
  inSession,
  listFiles,
  listResults,
  type ResultRow,
  runReconciliation,
  type RunReport,
  summaryOf,
} from "../../ops";
import { ConfigFault } from "../../platform";
import { readJsonFile } from "../json-file";
import { print, printJson, printTable, rupiahText, say, startProgress } from "../output";
import { withServices } from "../with-services";
import { calendarDate } from "../operator";
import { actorOf } from "../operator-name";
import { reconCloseCommands } from "./recon-close";
import { reconExceptionCommands } from "./recon-exceptions";
import { reconFileCommands } from "./recon-files";
import { reconProfileCommands } from "./recon-profile";
import { reconSettlementCommands } from "./recon-settlement";

/** `recon import|run|show|profile`, and what people do about exceptions, settlement and days. */
export function reconCommands(program: Command, exit: (code: number) => void): void {
  const recon = program
    .command("recon")
    .description("settlement files: import them, compare them with the books, see why a line did not match");
  reconProfileCommands(recon);
  reconFileCommands(recon);
  runCommand(recon);
  showCommand(recon);
  reconExceptionCommands(recon, exit);
  reconSettlementCommands(recon);
  reconCloseCommands(recon);
}

function runCommand(recon: Command): void {
  recon
    .command("run")
    .description("compare the files of a business date with the books; repeating it changes nothing")
    .requiredOption("--profile <code>", "whose files")
    .requiredOption("--date <yyyy-mm-dd>", "business date, or the first of several", calendarDate)
    .option("--to <yyyy-mm-dd>", "the last of several business dates", calendarDate)
    .option("--dry-run", "show what would be found, keep nothing")
    .option("--rules <file>", "rules to try in place of the profile's; only with --dry-run")
    .option("--as <name>", "who you are; default BILLER_OPERATOR, else your account")
    .option("--json", "machine-readable output")
    .addHelpText(
      "after",
      `
With --dry-run everything that declared rules have matched before is decided again, and what would change is listed:
  biller recon run --profile finpay --date 2026-11-01 --to 2026-11-30 --dry-run --rules new-rules.json`,
    )
    .action(async (options: RunOptions) => {
      const isDryRun = options.dryRun === true;
      if (options.rules !== undefined && !isDryRun) {
        throw new ConfigFault("wrong usage", ["--rules goes with --dry-run; to keep rules, put them into the profile"]);
      }
      const rules = options.rules === undefined ? {} : { rules: rulesFrom(options.rules) };
      const reports: RunReport[] = [];
      const progress = startProgress("reconciling");
      await withServices(async ({ databaseUrl }, config) => {
        const isRange = options.to !== undefined;
        for (const settlementDate of await datesOf(databaseUrl, options)) {
          const report = await runReconciliation({
            ...{ databaseUrl, profileCode: options.profile, settlementDate, isDryRun, redecidesDeclared: isDryRun },
            ...{
              ...rules,
              by: actorText(actorOf(options, config)),
              onProgress: (step) => progress.update(`${settlementDate}, ${step}`),
            },
          });
          reports.push(report);
        }
        if (isRange && reports.length === 0) say("no file of these dates");
      }).finally(() => progress.done());
      if (options.json) printJson(options.to === undefined ? reports[0] : reports);
      else for (const report of reports) showRun(report);
    });
}

interface RunOptions {
  readonly profile: string;
  readonly date: string;
  readonly to?: string;
  readonly dryRun?: true;
  readonly rules?: string;
  readonly as?: string;
  readonly json?: true;
}

/** One date as it was given, or those of a range that have files. */
async function datesOf(databaseUrl: string, { profile, date, to }: RunOptions): Promise<string[]> {
  if (to === undefined) return [date];
  const files = await inSession({ url: databaseUrl, isolation: "read committed" }, (session) =>
    listFiles(session, { profileCode: profile, settlementDate: null, limit: 100_000 }),
  );
  const withFiles = new Set(files.map(({ settlementDate }) => settlementDate));
  const dates: string[] = [];
  for (let each = date; each <= to; each = dateAfter(each, 1)) if (withFiles.has(each)) dates.push(each);
  return dates;
}

function rulesFrom(file: string): readonly MatchRule[] {
  const parsed = parseMatchRules(readJsonFile(file, "rules_file"));
  if (!parsed.ok) throw new ConfigFault(`${file} holds no rules`, parsed.faults);
  return parsed.rules;
}

function showRun({ runId, settlementDate, isDryRun, summary, changes }: RunReport): void {
  print(`${isDryRun ? "dry run" : `run ${runId}`}, business date ${settlementDate}`);
  showSummary(summary);
  if (changes.length === 0) return;
  print(`\n${isDryRun ? "would change" : "changed"}:`);
  printTable(
    ["file:line", "traxId", "amount", "was", "is"],
    changes.map((each) => [
      each.fileId === null ? "-" : `${each.fileId}:${each.lineNo}`,
      each.traxId ?? "",
      rupiahText(each.amount),
      [each.classBefore, each.ruleBefore].filter((part) => part !== null).join(" by "),
      [each.classNow, each.ruleNow].filter((part) => part !== null).join(" by "),
    ]),
  );
}

function showSummary({ files, lines, badLines, matched, findings }: RunReport["summary"]): void {
  print(`${files} file${files === 1 ? "" : "s"}, ${lines} lines: ${matched} matched, ${badLines} unreadable`);
  if (findings.length === 0) return;
  printTable(
    ["class", "count", "amount", "difference", "resolved"],
    findings.map((each) => [
      each.class,
      String(each.count),
      rupiahText(each.amount),
      each.difference < 0n ? `-${rupiahText(-each.difference)}` : rupiahText(each.difference),
      String(each.resolved),
    ]),
  );
}

function showCommand(recon: Command): void {
  recon
    .command("show")
    .description("files and results; with --trax or --line, why a line did not match")
    .option("--profile <code>", "only of this profile")
    .option("--date <yyyy-mm-dd>", "only of this business date", calendarDate)
    .option("--file <id>", "only of this file", wholeNumber)
    .option("--line <n>", "only this line", wholeNumber)
    .option("--trax <traxId>", "only lines and payments of this traxId")
    .addOption(
      new Option("--class <class>", "only these").choices([...RECONCILIATION_CLASSES, "unreadable", "undecided"]),
    )
    .option("--all", "matched lines as well")
    .option("--limit <n>", "as many at most", wholeNumber, 100)
    .option("--json", "machine-readable output")
    .action(async (options: ShowOptions) => {
      const { profile = null, date = null, limit } = options;
      const filter = {
        ...{ profileCode: profile, settlementDate: date, fileId: options.file ?? null, lineNo: options.line ?? null },
        ...{ traxId: options.trax ?? null, class: options.class ?? null, limit },
      };
      const isExplained = options.trax !== undefined || options.line !== undefined;
      const onlyOpen = options.all !== true && options.class === undefined && !isExplained;
      const found = await withServices(({ databaseUrl }) =>
        inSession({ url: databaseUrl, isolation: "read committed" }, async (session) => ({
          files: await listFiles(session, filter),
          summary: profile !== null && date !== null ? await summaryOf(session, profile, date) : null,
          results: await listResults(session, { ...filter, onlyOpen }),
        })),
      );
      if (options.json) {
        printJson(found);
        return;
      }
      if (isExplained) {
        if (found.results.length === 0) print("no line and no finding");
        for (const row of found.results) explain(row);
        return;
      }
      if (options.file === undefined && options.class === undefined) showFiles(found.files);
      if (found.summary !== null) showSummary(found.summary);
      showResults(found.results);
    });
}

interface ShowOptions {
  readonly profile?: string;
  readonly date?: string;
  readonly file?: number;
  readonly line?: number;
  readonly trax?: string;
  readonly class?: string;
  readonly all?: true;
  readonly limit: number;
  readonly json?: true;
}

function showFiles(files: Awaited<ReturnType<typeof listFiles>>): void {
  printTable(
    ["file", "profile", "date", "name", "version", "lines", "bad", "amount", "imported (UTC)"],
    files.map((file) => [
      `${file.fileId}${file.supersededBy === null ? "" : ` (now ${file.supersededBy})`}`,
      ...[file.profileCode, file.settlementDate, file.fileName, String(file.version), String(file.lines)],
      ...[String(file.badLines), rupiahText(file.amount), file.importedAt.toISOString().slice(0, 19).replace("T", " ")],
    ]),
  );
}

function showResults(rows: readonly ResultRow[]): void {
  if (rows.length === 0) return;
  print("");
  printTable(
    ["file:line", "traxId", "amount", "class", "because of", "nearest payment"],
    rows.map((row) => [
      row.fileId === null ? "-" : `${row.fileId}:${row.lineNo}`,
      row.traxId ?? "",
      row.amount === null ? "" : rupiahText(row.amount),
      row.class,
      row.fault ?? row.differingFields?.join(", ") ?? row.blockedBy ?? "",
      row.nearestTraxId ?? "",
    ]),
  );
}

/** One line with everything that was tried on it. */
function explain(row: ResultRow): void {
  const where = row.fileId === null ? `payment ${row.traxId}` : `file ${row.fileId}, line ${row.lineNo}`;
  print(`${where}: ${row.class}${row.rule === null ? "" : ` by ${row.rule}`}`);
  if (row.fault !== null) print(`  ${row.fault}\n  ${row.raw}`);
  if (row.difference !== null && row.difference !== 0n) {
    print(
      `  the file says ${rupiahText(row.difference < 0n ? -row.difference : row.difference)} ${row.difference < 0n ? "less" : "more"} than our books`,
    );
  }
  if ((row.differingFields ?? []).length > 0) print(`  differs in: ${row.differingFields?.join(", ")}`);
  for (const { rule, nearest, blockedBy, heldBy } of row.tried ?? []) {
    const holder = heldBy === undefined ? "" : ` (held by file ${heldBy.fileId}, line ${heldBy.lineNo})`;
    print(
      `  ${rule}: ${nearest === null ? "no payment came near" : `nearest is ${nearest.traxId}`}, blocked by ${blockedBy}${holder}`,
    );
  }
}

function wholeNumber(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new InvalidArgumentError("must be a whole number above 0");
  return Number(text);
}
