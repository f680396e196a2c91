import type { Command } from "commander";
import { parseSettlementProfile, SETTLEMENT_PRESETS, settlementProfileJsonSchema } from "../../domain";
import { inSession, listExpectations, listProfiles, readProfile, saveProfile } from "../../ops";
import { ConfigFault } from "../../platform";
import { readJsonFile } from "../json-file";
import { operatorName } from "../operator-name";
import { print, printJson, printTable, say } from "../output";
import { withServices } from "../with-services";

/** `recon profile check|set|list|show|schema`. */
export function reconProfileCommands(recon: Command): void {
  const profile = recon
    .command("profile")
    .description("how settlement files are laid out and matched")
    .addHelpText(
      "after",
      `\nA profile file holds what differs from a preset: {"preset":"finpay","partner":"finpay"}.\n` +
        `Presets: ${Object.keys(SETTLEMENT_PRESETS).join(", ")}. "biller recon profile schema" prints every setting.`,
    );
  profile
    .command("check <file>")
    .description("everything that is wrong with a profile file, without a database")
    .action((file: string) => {
      assertValid(file, readJsonFile(file, "profile_file"));
      print(`${file} is a valid profile`);
    });
  profile
    .command("set <code> <file>")
    .description("store a profile; a change becomes its next version")
    .action(async (code: string, file: string) => {
      const definition = readJsonFile(file, "profile_file");
      assertValid(file, definition);
      if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(code)) {
        throw new ConfigFault(`${code} is no code of a profile`, ["up to 40 small letters, digits and -"]);
      }
      const { version, isNew } = await onDatabase(
        (session) => saveProfile(session, code, definition as Record<string, unknown>, operatorName()),
        code,
      );
      print(
        isNew ? `stored as version ${version} of ${code}` : `nothing changes: that is version ${version} of ${code}`,
      );
      const filter = { profileCode: code, withAll: false };
      const expected = await onDatabase((session) => listExpectations(session, filter));
      if (expected.length === 0) say(`no file of it is expected yet: biller recon expect set --profile ${code}`);
    });
  profile
    .command("list")
    .description("the stored profiles")
    .option("--json", "machine-readable output")
    .action(async (options: { json?: true }) => {
      const rows = await onDatabase(listProfiles);
      if (options.json) printJson(rows);
      else if (rows.length === 0) print("no profile is stored");
      else
        printTable(
          ["profile", "version", "files"],
          rows.map((row) => [row.code, String(row.version), String(row.files)]),
        );
    });
  profile
    .command("show <code>")
    .description("what is stored, and what it comes to with every default filled in")
    .option("--stored", "only what is stored, ready to be edited and set again")
    .action(async (code: string, options: { stored?: true }) => {
      const { version, definition, profile: filled } = await onDatabase((session) => readProfile(session, code));
      printJson(options.stored ? definition : { code, version, stored: definition, profile: filled });
    });
  profile
    .command("schema")
    .description("the JSON Schema of a profile file")
    .action(() => printJson(settlementProfileJsonSchema()));
}

/** @throws ConfigFault naming everything that is wrong with the profile */
function assertValid(file: string, given: unknown): void {
  const parsed = parseSettlementProfile(given);
  if (!parsed.ok) throw new ConfigFault(`${file} is no settlement profile`, parsed.faults);
}

function onDatabase<T>(work: Parameters<typeof inSession<T>>[1], profileLock?: string): Promise<T> {
  return withServices(({ databaseUrl: url }) =>
    inSession({ url, isolation: "read committed", ...(profileLock === undefined ? {} : { profileLock }) }, work),
  );
}
