import { createInterface } from "node:readline/promises";
import { type Command, InvalidArgumentError } from "commander";
import { businessDateOf, dateAfter } from "../domain";
import { openHandDesk, loadCatalog } from "../flows";
import type { Actor, ApprovalDeps } from "../ops";
import { ConfigFault, randomIds, systemClock } from "../platform";
import { actorOf } from "./operator-name";
import { type DatabaseContext, withApp } from "./with-database";
import { withServices } from "./with-services";

/** What every command that people answer for takes. */
export interface OperatorOptions {
  readonly as?: string;
  readonly yes?: true;
  readonly json?: true;
}

/** Adds `--as`, `--yes` and `--json`. */
export function withOperatorOptions(command: Command): Command {
  return command
    .option("--as <name>", "who you are; default BILLER_OPERATOR, else your account")
    .option("--yes", "do not ask")
    .option("--json", "machine-readable output");
}

/** Business date that people's entries are booked on. */
export function today(): string {
  return businessDateOf(systemClock.nowMs(), "24:00");
}

/** Everything that people's work goes through, on a connection of the service's own role. */
export function withDesk<T>(
  options: Pick<OperatorOptions, "as">,
  work: (desk: DatabaseContext & { readonly actor: Actor; readonly approval: ApprovalDeps }) => Promise<T>,
): Promise<T> {
  return withServices((services, config) =>
    withApp(services, async (context) => {
      const catalog = await context.transact((tx) => loadCatalog(tx, context.secrets));
      const tools = { clock: systemClock, ids: randomIds };
      const byHand = openHandDesk({ catalog, ...tools });
      const approval = { db: context.db, byHand, ...tools, today };
      return work({ ...context, actor: actorOf(options, config), approval });
    }),
  );
}

/**
 * Asks whether to go on; `--yes` answers for the person.
 *
 * @throws ConfigFault where nobody can be asked
 */
export async function confirm(question: string, { yes }: Pick<OperatorOptions, "yes">): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) throw new ConfigFault("nobody can be asked", [`${question} Say --yes to go on.`]);
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^(y|yes|ya)$/i.test((await prompt.question(`${question} [y/N] `)).trim());
  } finally {
    prompt.close();
  }
}

/** An option's parser that takes calendar dates. */
export function calendarDate(text: string): string {
  if (!/^2[0-9]{3}-[0-9]{2}-[0-9]{2}$/.test(text) || dateAfter(text, 0) !== text) {
    throw new InvalidArgumentError("must be a date, YYYY-MM-DD");
  }
  return text;
}

/** Dates from one to another; one alone where there is no other. At most a year. */
export function datesBetween(from: string, to: string | undefined): string[] {
  const dates: string[] = [];
  for (let each = from; each <= (to ?? from) && dates.length < 366; each = dateAfter(each, 1)) dates.push(each);
  if (dates.length === 0) throw new ConfigFault("wrong usage", ["--to is before --date"]);
  return dates;
}
