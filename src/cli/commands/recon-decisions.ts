import type { Command } from "commander";
import { type Approved, decideProposal, listProposals, type Proposal, tryApproval } from "../../ops";
import { DatabaseUnavailable, Fault, messageOf } from "../../platform";
import { confirm, type OperatorOptions, withDesk, withOperatorOptions } from "../operator";
import { print, printJson, printTable, rupiahText, say, startProgress } from "../output";
import { adviceOf } from "../remedies";

const LISTED_MAX = 100_000;
/** Exit code: it was not said what to decide. */
const NOTHING_NAMED = 2;

/** `recon proposals|approve|refuse|withdraw`. */
export function reconDecisionCommands(recon: Command, exit: (code: number) => void): void {
  recon
    .command("proposals")
    .description("what waits for somebody's decision")
    .option("--all", "decided ones as well")
    .option("--json", "machine-readable output")
    .action(async (options: { all?: true; json?: true }) => {
      const filter = { id: null, withDecided: options.all === true, limit: LISTED_MAX };
      const proposals = await withDesk({}, ({ transact }) => transact((tx) => listProposals(tx, filter)));
      if (options.json) printJson(proposals);
      else if (proposals.length === 0) print("nothing waits");
      else showProposals(proposals);
    });

  withOperatorOptions(recon.command("approve [ids...]"))
    .description("do what somebody else has proposed: one, a batch, or with --all everything that waits")
    .option("--all", "everything that waits and was not proposed by you")
    .option("--note <text>", "kept with the decision")
    .action(async (ids: string[], options: DecideOptions) => {
      if (ids.length > 0 || options.all === true) return approve(ids, options);
      await listForApproval(options);
      exit(NOTHING_NAMED);
    });

  for (const [name, decision, about] of [
    ["refuse", "refused", "decide against what somebody else has proposed"],
    ["withdraw", "withdrawn", "take back what you have proposed"],
  ] as const) {
    withOperatorOptions(recon.command(`${name} <ids...>`))
      .description(about)
      .requiredOption("--note <text>", "why")
      .action(async (ids: string[], options: DecideOptions) => {
        await withDesk(options, async ({ transact, actor }) => {
          const waiting = await waitingOf(transact, ids);
          await transact(async (tx) => {
            for (const { proposalId } of waiting) {
              await decideProposal(tx, actor, proposalId, decision, options.note ?? null);
            }
          });
          if (options.json) printJson({ count: waiting.length, decision });
          else print(`${waiting.length} ${decision} by ${actor.name}`);
        });
      });
  }
}

interface DecideOptions extends OperatorOptions {
  readonly all?: true;
  readonly note?: string;
}

type Desk = Parameters<Parameters<typeof withDesk>[1]>[0];

async function waitingOf(transact: Desk["transact"], ids: readonly string[]): Promise<Proposal[]> {
  const found: Proposal[] = [];
  for (const id of ids) {
    const waiting = await transact((tx) => listProposals(tx, { id, withDecided: false, limit: LISTED_MAX }));
    if (waiting.length === 0) throw new Fault("no_proposal", `no proposal ${id} waits for a decision`);
    found.push(...waiting);
  }
  return [...new Map(found.map((each) => [each.proposalId, each])).values()];
}

async function approve(ids: readonly string[], options: DecideOptions): Promise<void> {
  await withDesk(options, async ({ transact, actor, approval }) => {
    const isOwn = ({ proposedBy }: Proposal): boolean => proposedBy.toLowerCase() === actor.name.toLowerCase();
    const waiting =
      options.all === true
        ? (await transact((tx) => listProposals(tx, { id: null, withDecided: false, limit: LISTED_MAX }))).filter(
            (each) => !isOwn(each),
          )
        : await waitingOf(transact, ids);
    if (waiting.length === 0) {
      if (options.json) printJson({ approved: 0, failed: [] });
      else print("nothing waits");
      return;
    }
    if (!options.json && waiting.length <= 20) showProposals(waiting);
    const sum = waiting.reduce((total, { amount }) => total + amount, 0n);
    if (!(await confirm(`Approve ${waiting.length}, ${rupiahText(sum)}, as ${actor.name}?`, options))) return;
    const progress = startProgress("approving");
    const done: Approved[] = [];
    const failed: FailedApproval[] = [];
    let lost: Fault | null = null;
    for (const { proposalId } of waiting) {
      try {
        const attempt = await tryApproval(approval, actor, proposalId, options.note ?? null, () => {});
        if (attempt.approved !== null) done.push(attempt.approved);
        if (attempt.fault !== null) failed.push(failureOf(proposalId, attempt.fault));
      } catch (error) {
        // Without a database no further approval can succeed. The approvals made so far are still printed.
        lost = error instanceof Fault ? error : new DatabaseUnavailable(messageOf(error), { cause: error });
        break;
      }
      progress.update(`${done.length + failed.length} of ${waiting.length}`);
    }
    progress.done();
    showApproved(done, failed, actor.name, options);
    if (lost !== null) throw lost;
    if (failed.length > 0) throw new Fault("not_all_approved", `${failed.length} could not be done and still wait`);
  });
}

interface FailedApproval {
  readonly proposalId: string;
  readonly code: string;
  readonly message: string;
}

/** The command line has no log, so an internal error is printed by its name and message, without the stack. */
function failureOf(proposalId: string, fault: Fault): FailedApproval {
  const { cause } = fault;
  const message =
    fault.code === "internal" && cause instanceof Error
      ? `internal fault: ${cause.name}: ${cause.message}`
      : adviceOf(fault);
  return { proposalId, code: fault.code, message };
}

function showApproved(
  done: readonly Approved[],
  failed: readonly FailedApproval[],
  by: string,
  { json }: OperatorOptions,
): void {
  if (json) {
    printJson({ approved: done.length, failed, entryIds: done.flatMap((each) => each.entryId ?? []) });
    return;
  }
  if (done.length <= 20) for (const each of done) print(`${each.proposal.itemId.slice(0, 8)}: ${each.done}`);
  print(`${done.length} approved by ${by}`);
  for (const each of failed) say(`${each.proposalId.slice(0, 13)}: ${each.message}`);
}

/** Without an id or `--all` nothing is decided: what waits is listed. */
async function listForApproval(options: DecideOptions): Promise<void> {
  const filter = { id: null, withDecided: false, limit: LISTED_MAX };
  const waiting = await withDesk(options, ({ transact }) => transact((tx) => listProposals(tx, filter)));
  if (options.json) printJson({ waiting });
  else if (waiting.length === 0) print("nothing waits");
  else showProposals(waiting);
  say("usage: biller recon approve <ids...> --as <name>, or --all: name a proposal, a batch, or everything that waits");
}

function decisionText({ decision, decidedBy, decisionNote, lastFailure }: Proposal): string {
  if (decision === "lapsed") return `lapsed: ${decisionNote ?? ""}`;
  if (decision !== null) return `${decision} by ${decidedBy}`;
  return lastFailure === null ? "" : `failed: ${lastFailure}`;
}

function showProposals(proposals: readonly Proposal[]): void {
  printTable(
    ["id", "batch", "item", "what", "amount", "by", "because", "decision"],
    proposals.map((each) => [
      ...[each.proposalId.slice(0, 13), each.batchId.slice(0, 13), each.itemId.slice(0, 8)],
      `${each.action}${each.account === null ? "" : ` to ${each.account}`}`,
      ...[rupiahText(each.amount), each.proposedBy, each.reason],
      decisionText(each),
    ]),
  );
}
