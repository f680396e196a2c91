import { Command, CommanderError } from "commander";
import { ConfigFault, Fault } from "../platform";
import { auditCommands } from "./commands/audit";
import { billCommands } from "./commands/bill";
import { callbackCommands } from "./commands/callback";
import { describeCommands } from "./commands/describe";
import { dossierCommand } from "./commands/dossier";
import { exceptionCommands } from "./commands/exception";
import { demoCommands } from "./commands/demo";
import { doctorCommand } from "./commands/doctor";
import { ledgerCommands } from "./commands/ledger";
import { merchantCommands } from "./commands/merchant";
import { partnerCommands } from "./commands/partner";
import { productCommands } from "./commands/product";
import { reconCommands } from "./commands/recon";
import { retentionCommands } from "./commands/retention";
import { serveCommands } from "./commands/serve";
import { simulateCommands } from "./commands/simulate";
import { switchCommands } from "./commands/switch";
import { adviceOf } from "./remedies";

/** The command line `biller`. Exit codes: 0 done, 1 failed or declined, 64 wrong usage, 78 wrong settings. */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = programOf((code) => {
    exitCode = code;
  });
  // `biller … | head`: the reader has seen enough.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(exitCode);
    throw error;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 64;
    process.stderr.write(`biller: ${adviceOf(error)}\n`);
    if (error instanceof ConfigFault) return 78;
    if (!(error instanceof Fault) && error instanceof Error) process.stderr.write(`${error.stack ?? ""}\n`);
    return 1;
  }
}

/** Every command. @param exit is told the exit code of one that ends with another than 0 */
export function programOf(exit: (code: number) => void): Command {
  const program = new Command("biller")
    .description("The biller's side of the Finpay bill-payment switch.")
    .showHelpAfterError("(add --help for the options)")
    .exitOverride();
  for (const add of [
    serveCommands,
    partnerCommands,
    productCommands,
    billCommands,
    merchantCommands,
    callbackCommands,
    switchCommands,
    simulateCommands,
    demoCommands,
    describeCommands,
    exceptionCommands,
    reconCommands,
    ledgerCommands,
    auditCommands,
    dossierCommand,
    retentionCommands,
    doctorCommand,
  ]) {
    add(program, exit);
  }
  program.addHelpText(
    "after",
    "\nWithout DATABASE_URL the commands work on the embedded database of this directory, running or not.",
  );
  return program;
}
