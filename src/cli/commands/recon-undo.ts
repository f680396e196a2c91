import type { Command } from "commander";
import { listProposals, proposeUndo } from "../../ops";
import { ConfigFault, Fault } from "../../platform";
import { confirm, type OperatorOptions, withDesk, withOperatorOptions } from "../operator";
import { print, printJson, rupiahText } from "../output";

interface UndoOptions extends OperatorOptions {
  readonly because: string;
}

/** `recon undo`. */
export function reconUndoCommand(recon: Command): void {
  withOperatorOptions(recon.command("undo <proposal>"))
    .description("propose to take back what an approved proposal did; somebody else approves it")
    .requiredOption("--because <text>", "why; kept for good")
    .addHelpText(
      "after",
      `
A correction mirrors its entry, the receivables and the bill are as before, its lines can be posted again, and its item is open
again. "biller recon proposals --all" shows approved proposals.

  biller recon undo 81d7c2f0 --because "wrong line" --as ani
  biller recon approve 4c1a… --as budi`,
    )
    .action(async (id: string, options: UndoOptions) => {
      const reason = options.because.trim();
      if (reason.length < 3 || reason.length > 500) {
        throw new ConfigFault("wrong usage", ["--because must say why, in 3 to 500 characters"]);
      }
      await withDesk(options, async ({ transact, actor }) => {
        const [found, other] = await transact((tx) => listProposals(tx, { id, withDecided: true, limit: 2 }));
        if (found === undefined) throw new Fault("no_proposal", `there is no proposal ${id}`);
        if (other !== undefined) throw new Fault("no_proposal", `${id} names more than one proposal: give more of it`);
        const question = `Propose to undo ${found.action} of ${rupiahText(found.amount)}, approved by ${found.decidedBy ?? "nobody"}?`;
        if (!(await confirm(question, options))) return;
        const made = await transact((tx) => proposeUndo(tx, actor, found.proposalId, reason));
        if (options.json) printJson({ ...made, undoes: found.proposalId });
        else
          print(`proposed by ${actor.name}: biller recon approve ${made.proposalId.slice(0, 13)} --as <somebody else>`);
      });
    });
}
