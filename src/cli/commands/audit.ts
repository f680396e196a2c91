import { type Command, InvalidArgumentError } from "commander";
import {
  createToken,
  listTokens,
  needsPerson,
  PERSON_NAME,
  RECON_SCOPES,
  revokeToken,
  type Scope,
  SCOPES,
} from "../../ops";
import { ConfigFault, Fault } from "../../platform";
import { recordOperatorAction } from "../../store";
import { operatorName } from "../operator-name";
import { print, printJson, printTable } from "../output";
import { withOwner } from "../with-database";
import { withServices } from "../with-services";

const DAYS_MAX = 366;
const ALL_SCOPES: readonly Scope[] = [...SCOPES, ...RECON_SCOPES];

/** `audit token create`, `audit token list`, `audit token revoke`. */
export function auditCommands(program: Command): void {
  const token = program
    .command("audit")
    .description("who may read the books over the audit API, and work on settlement over the reconciliation API")
    .command("token")
    .description("tokens of both; only their hashes are kept");

  token
    .command("create <name>")
    .description("make a token; it is shown once")
    .option("--scopes <list>", `comma separated, of ${ALL_SCOPES.join(", ")}`, scopesOf, [
      "ledger",
      "payments",
    ] as Scope[])
    .option("--person <name>", "whose it is: the name that stands under what is proposed and decided with it")
    .option("--days <n>", `valid so many days, at most ${DAYS_MAX}`, daysOf, 90)
    .option("--json", "machine-readable output")
    .addHelpText(
      "after",
      `
ledger      journal entries, postings, balances, trial balance
payments    traxIds, attempts, exceptions, dossiers (with ledger)
operations  key changes, operator actions, who has read what
export      whole lists as CSV, NDJSON or XLSX
personal    names and contacts, which are masked otherwise

recon:read     settlement files, runs, exceptions, closed days (/recon/v1)
recon:maker    import, run, settle, own, note and propose; with --person
recon:checker  approve and refuse what another person has proposed, close days; with --person`,
    )
    .action(async (name: string, options: CreateOptions) => {
      if (!/^[ -~]{1,100}$/.test(name)) throw new Fault("token_name", "the name must be 1 to 100 printable characters");
      const { scopes, days } = options;
      const person = personOf(options);
      const made = await withServices((services) =>
        withOwner(services, ({ transact }) =>
          transact(async (tx) => {
            const actor = operatorName();
            const created = await createToken(tx, { name, scopes, days, createdBy: actor, person });
            const object = `audit-token:${created.tokenId}`;
            const after = { name, scopes, person, expiresAt: created.expiresAt.toISOString() };
            await recordOperatorAction(tx, { actor, action: "audit-token.create", object, after, detail: name });
            return created;
          }),
        ),
      );
      if (options.json) {
        printJson({ tokenId: made.tokenId, name, scopes, person, token: made.text, expiresAt: made.expiresAt });
        return;
      }
      print(`token ${name} (${made.tokenId}), valid until ${made.expiresAt.toISOString()}, for ${scopes.join(", ")}`);
      print(`  ${made.text}`);
      print("Shown once: hand it over in a safe way. Used as: Authorization: Bearer …");
    });

  token
    .command("list")
    .description("every token that was ever made; never shows one")
    .option("--json", "machine-readable output")
    .action(async (options: { json?: true }) => {
      const tokens = await withServices((services) => withOwner(services, ({ transact }) => transact(listTokens)));
      if (options.json) {
        printJson(tokens);
        return;
      }
      const day = (at: Date): string => at.toISOString().slice(0, 10);
      printTable(
        ["id", "name", "person", "scopes", "made", "by", "until", "revoked"],
        tokens.map((each) => [
          ...[each.tokenId, each.name, each.person ?? "", each.scopes.join(","), day(each.createdAt), each.createdBy],
          day(each.expiresAt),
          each.revokedAt === null ? "" : `${day(each.revokedAt)} by ${each.revokedBy ?? ""}`,
        ]),
      );
    });

  token
    .command("revoke <tokenId>")
    .description("end a token at once")
    .action(async (tokenId: string) => {
      if (!/^[0-9a-f-]{36}$/i.test(tokenId))
        throw new Fault("token_id", "the id must be that of `biller audit token list`");
      const isRevoked = await withServices((services) =>
        withOwner(services, ({ transact }) =>
          transact(async (tx) => {
            const actor = operatorName();
            if (!(await revokeToken(tx, tokenId, actor))) return false;
            await recordOperatorAction(tx, { actor, action: "audit-token.revoke", object: `audit-token:${tokenId}` });
            return true;
          }),
        ),
      );
      if (!isRevoked) throw new Fault("no_token", "there is no token of this id that is not revoked already");
      print(`token ${tokenId} is revoked`);
    });
}

interface CreateOptions {
  readonly scopes: Scope[];
  readonly days: number;
  readonly person?: string;
  readonly json?: true;
}

/** @throws ConfigFault when the scopes ask for a person's name and there is none, or it is none */
function personOf({ person, scopes }: CreateOptions): string | null {
  if (person === undefined) {
    if (!needsPerson(scopes)) return null;
    throw new ConfigFault("wrong usage", [
      "recon:maker and recon:checker go with --person: who answers for what is done",
    ]);
  }
  const name = person.trim();
  if (!PERSON_NAME.test(name))
    throw new ConfigFault("--person", ["must be a name of 1 to 100 letters, digits, blanks and . _ @ -"]);
  return name;
}

function scopesOf(text: string): Scope[] {
  const names = text.split(",").map((each) => each.trim());
  const unknown = names.filter((name) => !(ALL_SCOPES as readonly string[]).includes(name));
  if (unknown.length > 0) throw new InvalidArgumentError(`must be of ${ALL_SCOPES.join(", ")}`);
  return [...new Set(names)] as Scope[];
}

function daysOf(text: string): number {
  const days = /^[0-9]{1,3}$/.test(text) ? Number(text) : 0;
  if (days < 1 || days > DAYS_MAX) throw new InvalidArgumentError(`must be a whole number from 1 to ${DAYS_MAX}`);
  return days;
}
