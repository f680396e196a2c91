import { type Command, InvalidArgumentError, Option } from "commander";
import {
  type AccountCode,
  DIFFERENCE_ACCOUNTS,
  FILE_KINDS,
  MONEY_ACTIONS,
  type MoneyAction,
  OPENED_KINDS,
  RECONCILIATION_CLASSES,
} from "../../domain";
import {
  handleItem,
  listQueue,
  type PlainAction,
  proposeForAll,
  proposeForItem,
  type QueueFilter,
  type QueueItem,
  readDueRule,
  readItem,
  saveDueRule,
  trackMissingFiles,
  WHOLE_QUEUE,
} from "../../ops";
import { ConfigFault, sqlStateOf, systemClock } from "../../platform";
import { readJsonFile } from "../json-file";
import { calendarDate, confirm, type OperatorOptions, today, withDesk, withOperatorOptions } from "../operator";
import { whole } from "../options";
import { print, printJson, printTable, rupiahText } from "../output";
import { reconDecisionCommands } from "./recon-decisions";
import { reconUndoCommand } from "./recon-undo";

const CLASSES = [...RECONCILIATION_CLASSES.filter((each) => each !== "matched"), ...OPENED_KINDS, ...FILE_KINDS];
const PLAIN_ACTIONS = ["note", "assign", "carry", "close"] as const;

interface FilterOptions {
  readonly profile?: string;
  readonly date?: string;
  readonly to?: string;
  readonly class?: string;
  readonly owner?: string;
  readonly overdue?: true;
  readonly limit: number;
}

/** `recon exceptions|resolve|proposals|approve|refuse|withdraw|undo|due-rule`. */
export function reconExceptionCommands(recon: Command, exit: (code: number) => void): void {
  exceptionsCommand(recon);
  resolveCommand(recon);
  reconDecisionCommands(recon, exit);
  reconUndoCommand(recon);
  dueRuleCommand(recon);
}

function withFilter(command: Command): Command {
  return command
    .option("--profile <code>", "only findings of this profile")
    .option("--date <yyyy-mm-dd>", "only of this business date, or the first of several", calendarDate)
    .option("--to <yyyy-mm-dd>", "the last of several business dates", calendarDate)
    .addOption(new Option("--class <class>", "only these").choices(CLASSES))
    .option("--owner <name>", "only those of this person")
    .option("--overdue", "only those whose due time has passed")
    .option("--limit <n>", "as many at most", whole(1, 100_000), 100);
}

function filterOf(options: FilterOptions): QueueFilter {
  return {
    ...WHOLE_QUEUE,
    ...{ profileCode: options.profile ?? null, businessDate: options.date ?? null, toDate: options.to ?? null },
    ...{ class: options.class ?? null, owner: options.owner ?? null, onlyOverdue: options.overdue === true },
    limit: options.limit,
  };
}

function exceptionsCommand(recon: Command): void {
  withFilter(recon.command("exceptions [id]"))
    .description("what people have to look at, what is due first at the top; with an id, all about one")
    .option("--all", "closed ones as well")
    .option("--json", "machine-readable output")
    .addHelpText("after", "\nAn id may be cut to its first characters, four at least.")
    .action(async (id: string | undefined, options: FilterOptions & { all?: true; json?: true }) => {
      await withDesk({}, async ({ transact }) => {
        if (id !== undefined) {
          const item = await transact((tx) => readItem(tx, id));
          if (options.json) printJson(item);
          else showItem(item);
          return;
        }
        await lookForMissingFiles(transact);
        const filter = { ...filterOf(options), withClosed: options.all === true };
        const items = await transact((tx) => listQueue(tx, filter));
        if (options.json) printJson(items);
        else showQueue(items);
      });
    });
}

/** As housekeeping does. Who may only read sees what it has found. */
async function lookForMissingFiles(transact: Parameters<Parameters<typeof withDesk>[1]>[0]["transact"]): Promise<void> {
  try {
    await transact((tx) => trackMissingFiles(tx, systemClock.nowMs()));
  } catch (error) {
    if (!["42501", "25006"].includes(sqlStateOf(error) ?? "")) throw error;
  }
}

function timeText(at: Date): string {
  return at.toISOString().slice(0, 16).replace("T", " ");
}

function signed(amount: bigint): string {
  return amount < 0n ? `-${rupiahText(-amount)}` : rupiahText(amount);
}

function showQueue(items: readonly QueueItem[]): void {
  if (items.length === 0) {
    print("nothing to look at");
    return;
  }
  printTable(
    ["id", "due (UTC)", "class", "date", "traxId", "amount", "difference", "owner", "state"],
    items.map((item) => [
      ...[item.itemId.slice(0, 8), `${timeText(item.dueAt)}${item.isOverdue ? " !" : ""}`, item.class],
      ...[item.businessDate, item.traxId ?? "", rupiahText(item.amount)],
      ...[item.difference === null ? "" : signed(item.difference), item.owner ?? "", stateOf(item)],
    ]),
  );
}

function stateOf(item: QueueItem): string {
  if (item.closedAt !== null) return `closed: ${item.closedBecause ?? ""}`;
  if (item.proposedAction !== null) return `${item.proposedAction} proposed by ${item.proposedBy}`;
  return item.carriedTo === null ? "open" : `carried to ${item.carriedTo}`;
}

function showItem(item: Awaited<ReturnType<typeof readItem>>): void {
  const where = item.fileId === null ? "" : `, file ${item.fileId}, line ${item.lineNo}`;
  print(`${item.itemId}: ${item.class} of ${item.businessDate}${where}`);
  print(`  traxId ${item.traxId ?? "none"}, ${rupiahText(item.amount)}, partner ${item.partner ?? "unknown"}`);
  if (item.difference !== null) print(`  the file says ${signed(item.difference)} more than our books`);
  if (item.detail !== "") print(`  ${item.detail}`);
  print(`  ${stateOf(item)}, due ${timeText(item.dueAt)} UTC, owner ${item.owner ?? "nobody"}`);
  for (const { at, kind, actor, detail } of item.history) print(`  ${timeText(at)} ${actor} ${kind}: ${detail}`);
}

interface ResolveOptions extends OperatorOptions, FilterOptions {
  readonly action: MoneyAction | (typeof PLAIN_ACTIONS)[number];
  readonly account?: AccountCode;
  readonly payment?: string;
  readonly until?: string;
  readonly assignee?: string;
  readonly because?: string;
  readonly all?: true;
}

function resolveCommand(recon: Command): void {
  withOperatorOptions(withFilter(recon.command("resolve [id]")))
    .description("propose what is to be done; what moves money waits for somebody else's approval")
    .addOption(
      new Option("--action <action>", "what").choices([...MONEY_ACTIONS, ...PLAIN_ACTIONS]).makeOptionMandatory(),
    )
    .addOption(new Option("--account <code>", "where a difference goes").choices([...DIFFERENCE_ACCOUNTS]))
    .option("--payment <traxId>", "with link: traxId or entry of the payment that the line stands for")
    .option("--until <yyyy-mm-dd>", "with carry: the day it is looked at again; default tomorrow", calendarDate)
    .option("--assignee <name>", "with assign: whose it is", nonEmpty)
    .option("--because <text>", "why; kept for good", nonEmpty)
    .option("--all", "all open items of the filter, in place of one id")
    .addHelpText(
      "after",
      `
advise     post the missing payment: its bill is judged, its reply stored, its traxId consumed
reverse    take our payment back
accept     settle the line as it is; a difference goes to --account. Without one only what came is settled: the rest
           stays due, and the item open
link       the line stands for --payment
write-off  settle the line; the difference goes to written-off
recover    money came for what was written off or accepted elsewhere: those accounts get it back
not-a-payment       of an unreadable line: it is none, nothing is to be settled
close-without-file  of a missing file: its day may be closed all the same
carry, assign, note, close  need no second person: nothing moves

  biller recon resolve 3f2a91c0 --action advise --because "confirmed by the switch" --as ani
  biller recon resolve --all --profile finpay --date 2026-11-20 --class fee-differs --action accept \\
    --account settlement-difference --because "tariff of November" --as ani
  biller recon approve 81d7… --as budi`,
    )
    .action(async (id: string | undefined, options: ResolveOptions) => {
      if ((id === undefined) === (options.all === undefined)) {
        throw new ConfigFault("wrong usage", ["name one id, or --all with a filter"]);
      }
      const { action } = options;
      if (isMoneyAction(action)) await proposeAction(id, action, options);
      else await handle(id, plainActionOf(action, options), options);
    });
}

function isMoneyAction(action: ResolveOptions["action"]): action is MoneyAction {
  return (MONEY_ACTIONS as readonly string[]).includes(action);
}

async function proposeAction(id: string | undefined, action: MoneyAction, options: ResolveOptions): Promise<void> {
  const reason = options.because ?? "";
  if (reason.length < 3) throw new ConfigFault("wrong usage", ["--because must say why, in 3 to 500 characters"]);
  const request = { action, account: options.account ?? null, target: options.payment ?? null, reason };
  await withDesk(options, async ({ transact, actor }) => {
    if (id !== undefined) {
      const item = await transact((tx) => readItem(tx, id));
      const question = `Propose ${action} for ${item.class}, ${rupiahText(item.amount)}, traxId ${item.traxId ?? "none"}?`;
      if (!(await confirm(question, options))) return;
      const made = await transact((tx) => proposeForItem(tx, actor, item.itemId, request));
      if (options.json) printJson({ batchId: made.batchId, proposalIds: [made.proposalId] });
      else
        print(`proposed by ${actor.name}: biller recon approve ${made.proposalId.slice(0, 13)} --as <somebody else>`);
      return;
    }
    const filter = { ...filterOf(options), limit: 100_000 };
    const items = await transact((tx) => listQueue(tx, { ...filter, proposed: false }));
    if (items.length === 0) {
      if (options.json) printJson({ batchId: null, count: 0 });
      else print("nothing to look at");
      return;
    }
    const sum = items.reduce((total, { amount }) => total + amount, 0n);
    if (!(await confirm(`Propose ${action} for ${items.length} items, ${rupiahText(sum)}?`, options))) return;
    const made = await transact((tx) => proposeForAll(tx, actor, filter, request));
    if (options.json) printJson({ batchId: made.batchId, count: made.items.length });
    else print(`${made.items.length} proposed: biller recon approve ${made.batchId.slice(0, 13)} --as <somebody else>`);
  });
}

function plainActionOf(action: (typeof PLAIN_ACTIONS)[number], options: ResolveOptions): PlainAction {
  const { assignee, because: text = "", until = null } = options;
  if (action === "assign") {
    if (assignee === undefined) throw new ConfigFault("wrong usage", ["assign goes with --assignee"]);
    return { kind: "assign", owner: assignee };
  }
  if (text.length < 3) throw new ConfigFault("wrong usage", ["--because must say why, in 3 to 500 characters"]);
  return action === "carry" ? { kind: "carry", today: today(), to: until, text } : { kind: action, text };
}

async function handle(id: string | undefined, action: PlainAction, options: ResolveOptions): Promise<void> {
  await withDesk(options, async ({ transact, actor }) => {
    const ids =
      id === undefined
        ? (await transact((tx) => listQueue(tx, { ...filterOf(options), limit: 100_000 }))).map(({ itemId }) => itemId)
        : [id];
    await transact(async (tx) => {
      for (const each of ids) await handleItem(tx, actor, each, action);
    });
    if (options.json) printJson({ count: ids.length });
    else print(`${action.kind}: ${ids.length} item${ids.length === 1 ? "" : "s"}`);
  });
}

function dueRuleCommand(recon: Command): void {
  withOperatorOptions(recon.command("due-rule [file]"))
    .description("within how many hours exceptions are due, by amount; with a JSON file, another rule")
    .addHelpText(
      "after",
      '\n  {"tiers":[{"from":"0","hours":72},{"from":"1000000","hours":24},{"from":"10000000","hours":4}]}',
    )
    .action(async (file: string | undefined, options: OperatorOptions) => {
      const given = file === undefined ? null : readJsonFile(file, "due_rule");
      const rule = await withDesk(options, ({ transact, actor }) =>
        transact(async (tx) => {
          if (file !== undefined) await saveDueRule(tx, actor, given);
          return readDueRule(tx);
        }),
      );
      if (options.json) {
        printJson(rule);
        return;
      }
      print(rule.version === 0 ? "the built-in rule" : `version ${rule.version}`);
      printTable(
        ["from", "due within"],
        rule.rule.tiers.map(({ from, hours }) => [rupiahText(BigInt(from)), `${hours} hours`]),
      );
    });
}

function nonEmpty(text: string): string {
  const trimmed = text.trim();
  if (trimmed.length < 1 || trimmed.length > 500) throw new InvalidArgumentError("must be 1 to 500 characters");
  return trimmed;
}
