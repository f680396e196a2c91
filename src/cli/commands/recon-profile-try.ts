import { type Command, InvalidArgumentError } from "commander";
import type { SettlementProfile } from "../../domain";
import { inSession, type ProfileTrial, readProfile, tryProfile } from "../../ops";
import { ConfigFault, Fault } from "../../platform";
import { calendarDate } from "../operator";
import { print, printJson, printTable, rupiahText, startProgress } from "../output";
import { readProfileFile } from "../profile-file";
import { adviceOf } from "../remedies";
import { withServices } from "../with-services";

const LINES_MAX = 1_000;
/** From when on a trial says how far it is. */
const QUIET_MS = 2_000;

/** `recon profile try`. @param exit is told 1 when the file could not be imported */
export function reconProfileTryCommand(profile: Command, exit: (code: number) => void): void {
  profile
    .command("try <file>")
    .description(
      "read a settlement file by a profile and store nothing: the first lines, and what cannot be read and why",
    )
    .option("--profile <code>", "a stored profile")
    .option("--profile-file <file>", "a profile that is not stored; then no database is needed")
    .option("--date <yyyy-mm-dd>", "business date of the file, where its name does not tell", calendarDate)
    .option("--lines <n>", "how many lines to show", lineCount, 10)
    .option("--json", "machine-readable output")
    .addHelpText("after", "\nEnds with code 0 when the file could be imported, with 1 when not.")
    .action(async (path: string, options: TryOptions) => {
      const tried = await profileOf(options);
      const progress = startProgress("reading");
      const startedMs = performance.now();
      const trial = await tryProfile({
        profile: tried,
        path,
        date: options.date ?? null,
        lines: options.lines,
        onProgress: ({ bytes, ofBytes, lines }) => {
          if (performance.now() - startedMs < QUIET_MS) return;
          progress.update(`${Math.floor((100 * bytes) / ofBytes)} %, ${lines} lines`);
        },
      }).finally(() => progress.done());
      if (options.json) printJson(trial);
      else showTrial(trial);
      if (!trial.isImportable) exit(1);
    });
}

interface TryOptions {
  readonly profile?: string;
  readonly profileFile?: string;
  readonly date?: string;
  readonly lines: number;
  readonly json?: true;
}

async function profileOf({ profile: code, profileFile }: TryOptions): Promise<SettlementProfile> {
  if (profileFile !== undefined && code === undefined) return readProfileFile(profileFile).profile;
  if (code === undefined || profileFile !== undefined)
    throw new ConfigFault("wrong usage", ["give either --profile or --profile-file"]);
  const stored = await withServices(({ databaseUrl: url }) =>
    inSession({ url, isolation: "read committed" }, (session) => readProfile(session, code)),
  );
  return stored.profile;
}

function showTrial(trial: ProfileTrial): void {
  const { fileName, subject, header, counts, controlTotals } = trial;
  if (subject === null) print(`${fileName}: business date and products are not known`);
  else {
    const products = subject.productCodes.length === 0 ? "all products" : `products ${subject.productCodes.join(", ")}`;
    print(`${fileName}: business date ${subject.settlementDate}, ${products}`);
  }
  if (header !== null) {
    print(`header in line ${header.lineNo}:`);
    for (const [index, { name, readAs }] of header.columns.entries()) {
      print(`  column ${index + 1}, ${name}${readAs.length === 0 ? "" : `: ${readAs.join(", ")}`}`);
    }
  }
  if (trial.lines.length > 0) showLines(trial.lines);
  showBadKinds(trial);
  print("");
  print(`${counts.lines} lines, ${counts.badLines} of them unreadable`);
  print(`${rupiahText(counts.amount)}, fees ${rupiahText(counts.fee)}`);
  for (const remark of trial.remarks) print(remark);
  if (controlTotals.agree === true) print("control totals agree");
  else if (controlTotals.agree === null && trial.problems.length === 0) print("the file has no control totals");
  for (const { problem, remedy } of trial.problems) {
    print(`cannot be imported: ${adviceOf(new Fault("settlement_file", problem, { remedy }))}`);
  }
  print(trial.isImportable ? "could be imported" : "correct the profile or the file, and try again");
}

function showLines(lines: ProfileTrial["lines"]): void {
  print("");
  printTable(
    ["line", "traxId", "product", "bill", "amount", "fee", "business date", "paid at (UTC)", "status"],
    lines.map((line) => [
      String(line.lineNo),
      line.traxId ?? "",
      line.productCode ?? "",
      line.billNumber ?? "",
      rupiahText(line.amount),
      line.feeAmount === null ? "" : rupiahText(line.feeAmount),
      line.businessDate,
      line.paidAtMs === null ? "" : new Date(line.paidAtMs).toISOString().slice(0, 19).replace("T", " "),
      line.status,
    ]),
  );
}

function showBadKinds({ badKinds, badOfOtherKinds }: ProfileTrial): void {
  if (badKinds.length === 0) return;
  print("\nunreadable:");
  for (const { column, where, reason, count, examples } of badKinds) {
    const what = column === null ? reason : `${column} (${where ?? "?"}): ${reason}`;
    print(`  ${count} ${count === 1 ? "line" : "lines"}: ${what}`);
    for (const example of examples) {
      const other = example.reason === reason ? "" : `, ${example.reason}`;
      print(`    line ${example.lineNo}: "${example.value}"${other}`);
    }
  }
  if (badOfOtherKinds > 0) print(`  ${badOfOtherKinds} lines of other kinds`);
}

function lineCount(text: string): number {
  if (!/^[0-9]{1,4}$/.test(text) || Number(text) > LINES_MAX)
    throw new InvalidArgumentError(`must be a whole number up to ${LINES_MAX}`);
  return Number(text);
}
