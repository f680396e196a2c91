import type { Command } from "commander";
import { examine } from "../doctor-checks";
import { print, printJson } from "../output";
import { withServices } from "../with-services";

const MARKS = { ok: "ok     ", warning: "warning", failed: "FAILED " } as const;

/** `doctor`. */
export function doctorCommand(program: Command, exit: (code: number) => void): void {
  program
    .command("doctor")
    .description("check settings, database, safeguards, books, keys and Redis, and say what to do; changes nothing")
    .option("--json", "machine-readable output")
    .action(async (options: { json?: true }) => {
      const findings = await withServices(examine);
      if (findings.some(({ verdict }) => verdict === "failed")) exit(1);
      if (options.json) {
        printJson(findings);
        return;
      }
      for (const { name, verdict, detail, advice } of findings) {
        print(
          `${MARKS[verdict]}  ${name}: ${detail}${advice === undefined || verdict === "ok" ? "" : `\n         -> ${advice}`}`,
        );
      }
    });
}
