import type { Command } from "commander";
import { lostBlocksOf } from "../../callbacks";
import { actorText, parseCheckpoint } from "../../domain";
import { ACCEPT_ROLLBACK } from "../../ledger";
import { ConfigFault } from "../../platform";
import { checkpointFileOf, openSealing } from "../../sealing";
import { recordOperatorAction } from "../../store";
import { confirm, type OperatorOptions } from "../operator";
import { actorOf } from "../operator-name";
import { print, printJson, say } from "../output";
import { withApp } from "../with-database";
import { withServices } from "../with-services";

interface AcceptOptions extends OperatorOptions {
  readonly because: string;
}

/** `ledger accept-rollback`: the one way on for a database that has lost blocks which a checkpoint outside knows. */
export function acceptRollbackCommand(ledger: Command): void {
  ledger
    .command("accept-rollback")
    .description("go on with a database that was rolled back: says which blocks are lost, and makes hosts ready again")
    .requiredOption("--because <reason>", "why; is sealed")
    .option("--as <name>", "who you are; default BILLER_OPERATOR, else your account")
    .option("--yes", "do not ask")
    .option("--json", "machine-readable output")
    .action(async (options: AcceptOptions) => {
      const reason = options.because.trim();
      if (reason.length < 3 || reason.length > 500) throw new ConfigFault("--because", ["must be 3 to 500 characters"]);
      await withServices(async (services, config) => {
        const actor = actorText(actorOf(options, config));
        const file = checkpointFileOf(config, services);
        await withApp(services, async ({ transact }) => {
          const lost = file === null ? null : await transact((tx) => lostBlocksOf(tx, file));
          const checkpoint = lost === null ? null : parseCheckpoint(lost.last.statement);
          const blocks = lost === null ? null : `${lost.agreedUntil + 1n}-${lost.last.blockNo}`;
          if (blocks === null) {
            say(
              file === null
                ? "There is no checkpoint file. This tells running hosts that blocks which they have seen are lost."
                : `${file} agrees with the database. This tells running hosts that blocks which they have seen are lost.`,
            );
          } else {
            say(`${file} knows blocks ${blocks}, which this database does not have. What was in them is lost here:`);
            say("payments that were answered as approved may be missing. Compare with the switch's file of the day.");
          }
          if (!(await confirm("Accept that?", options))) return;
          await transact((tx) =>
            recordOperatorAction(tx, {
              actor,
              action: ACCEPT_ROLLBACK,
              object: `blocks:${blocks ?? "0-0"}`,
              after: { blocks, lastHash: checkpoint?.blockHash ?? null, madeAt: checkpoint?.madeAt ?? null },
              detail: reason,
            }),
          );
          const sealing = openSealing({ config, services, isRunning: false, onFault: (fault) => say(String(fault)) });
          try {
            await sealing.courier.deliver();
          } finally {
            await sealing.close();
          }
          if (options.json) printJson({ blocks, file, actor });
          else print(blocks === null ? "recorded" : `blocks ${blocks} are accepted as lost; hosts are ready again`);
        });
      });
    });
}
