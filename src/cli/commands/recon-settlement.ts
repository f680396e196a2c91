import { type Command, InvalidArgumentError } from "commander";
import { inSession, listFiles, proposeBankCredit, readAgeing, type SettledFile, settleMatched } from "../../ops";
import { randomIds, systemClock } from "../../platform";
import {
  calendarDate,
  confirm,
  datesBetween,
  type OperatorOptions,
  today,
  withDesk,
  withOperatorOptions,
} from "../operator";
import { actorOf } from "../operator-name";
import { print, printJson, printTable, rupiahText, startProgress } from "../output";
import { withServices } from "../with-services";

/** `recon settle|bank-credit|ageing`. */
export function reconSettlementCommands(recon: Command): void {
  settleCommand(recon);
  bankCreditCommand(recon);
  recon
    .command("ageing")
    .description("what the switch owes and what is on its way to the bank, by how old it is")
    .option("--date <yyyy-mm-dd>", "counted from this day; default today", calendarDate)
    .option("--json", "machine-readable output")
    .action(async (options: { date?: string; json?: true }) => {
      const rows = await withServices(({ databaseUrl: url }) =>
        inSession({ url, isolation: "read committed" }, (session) => readAgeing(session, options.date ?? today())),
      );
      if (options.json) {
        printJson(rows);
        return;
      }
      if (rows.length === 0) print("nothing is unsettled");
      const text = (amount: bigint): string => (amount < 0n ? `-${rupiahText(-amount)}` : rupiahText(amount));
      printTable(
        ["partner", "account", "0-1 days", "2-3", "4-7", "8-30", "over 30", "total"],
        rows.map((row) => [
          ...[row.partner, row.account, text(row.days0to1), text(row.days2to3), text(row.days4to7)],
          ...[text(row.days8to30), text(row.over30), text(row.total)],
        ]),
      );
    });
}

interface SettleOptions extends OperatorOptions {
  readonly profile: string;
  readonly date: string;
  readonly to?: string;
}

function settleCommand(recon: Command): void {
  withOperatorOptions(
    recon
      .command("settle")
      .description("post matched lines: due from switch becomes bank in transit; no line is posted twice")
      .requiredOption("--profile <code>", "whose files")
      .requiredOption("--date <yyyy-mm-dd>", "business date, or the first of several", calendarDate)
      .option("--to <yyyy-mm-dd>", "the last of several business dates that have files", calendarDate),
  ).action(async (options: SettleOptions) => {
    const { profile: profileCode, date, to } = options;
    const dates = datesBetween(date, to);
    if (!(await confirm(`Post matched lines of ${profileCode}, ${dates.join(", ")}?`, options))) return;
    const settled: (SettledFile & { readonly settlementDate: string })[] = [];
    const progress = startProgress("posting");
    await withServices(async ({ databaseUrl }, config) => {
      const actor = actorOf(options, config);
      const files = await inSession({ url: databaseUrl, isolation: "read committed" }, (session) =>
        listFiles(session, { profileCode, settlementDate: null, limit: 100_000 }),
      );
      const withFiles = new Set(files.map((file) => file.settlementDate));
      for (const settlementDate of to === undefined ? dates : dates.filter((each) => withFiles.has(each))) {
        progress.update(settlementDate);
        const request = { databaseUrl, profileCode, settlementDate, actor, clock: systemClock, ids: randomIds };
        const posted = await settleMatched({ ...request, today: today() });
        settled.push(...posted.map((each) => ({ ...each, settlementDate })));
      }
    }).finally(() => progress.done());
    if (options.json) {
      printJson(settled);
      return;
    }
    for (const { fileName, lines, amount } of settled) {
      print(lines === 0 ? `${fileName}: nothing more to post` : `${fileName}: ${lines} lines, ${rupiahText(amount)}`);
    }
  });
}

interface BankCreditOptions extends OperatorOptions {
  readonly amount: bigint;
  readonly date: string;
  readonly reference: string;
  readonly partner?: string;
  readonly because?: string;
}

function bankCreditCommand(recon: Command): void {
  withOperatorOptions(
    recon
      .command("bank-credit")
      .description("propose that the bank has credited money; somebody else approves, and it is no longer in transit")
      .requiredOption("--amount <rupiah>", "whole rupiah", wholeRupiah)
      .requiredOption("--date <yyyy-mm-dd>", "day of the bank's statement", calendarDate)
      .requiredOption("--reference <text>", "the bank's reference; booked once")
      .option("--partner <userName>", "whose money it is, where there are several partners")
      .option("--because <text>", "a remark"),
  ).action(async (options: BankCreditOptions) => {
    const { amount, date: creditedOn, reference, partner = null, because = "bank statement" } = options;
    if (!(await confirm(`Propose a bank credit of ${rupiahText(amount)}, ${reference}?`, options))) return;
    const credit = { partner, amount, creditedOn, reference, reason: because };
    const made = await withDesk(options, ({ transact, actor }) =>
      transact((tx) => proposeBankCredit(tx, actor, credit)),
    );
    if (options.json) printJson(made);
    else print(`proposed: biller recon approve ${made.proposalId.slice(0, 13)} --as <somebody else>`);
  });
}

function wholeRupiah(text: string): bigint {
  if (!/^[1-9][0-9]{0,14}$/.test(text)) throw new InvalidArgumentError("must be whole rupiah, digits only");
  return BigInt(text);
}
