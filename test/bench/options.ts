import { parseArgs } from "node:util";

/** Everything that can be measured, under the names of `--only`. */
export const CONTESTANTS = [
  "payment",
  "replay",
  "inquiry",
  "info",
  "echo",
  "straightforward",
  "pgbench",
  "pace",
  "start",
] as const;
export type ContestantName = (typeof CONTESTANTS)[number];

export interface BenchOptions {
  readonly mode: "full" | "smoke" | "growth" | "profile" | "recon" | "audit";
  readonly only: ReadonlySet<ContestantName>;
  readonly rounds: number;
  readonly seconds: number;
  readonly levels: readonly number[];
  readonly growthRows: number;
  readonly reconRows: number;
  /** Consumed traxIds that pages of the audit API are measured on. */
  readonly auditRows: number;
  readonly poolMax: number;
  readonly isJson: boolean;
  /** Settings of the service's database role. */
  readonly roleSettings: readonly string[];
  /** Settings of the host, as its environment has them. */
  readonly hostSettings: Readonly<Record<string, string>>;
  /** File of SQL that the superuser runs in the migrated template; null: none. */
  readonly sqlFile: string | null;
}

const HELP = `npm run bench: payments, replays and inquiries over HTTP beside a bare echo, a straightforward implementation and
pgbench, on one PostgreSQL (durable settings) and one Redis, in rounds that take turns. Every reply is checked, and the
books afterwards.

  --rounds N        rounds, default 5; growth 5
  --seconds N       length of one measurement, default 2
  --levels LIST     connections, default 1,8,32,64,128
  --only LIST       of ${CONTESTANTS.join(", ")}
  --pool N          database connections of the straightforward implementation, default 10 as the host has
  --growth          ten thousand bills and entries against many; --growth-rows N, default 10000000
  --recon           a settlement file imported and reconciled, beside a raw COPY and one join; --rows N, default 1000000
  --audit           pages of the audit API at three depths under their filters; --rows N, default 1000000
  --profile         where the time goes at 64 connections: processor profile of the host, statements of PostgreSQL
  --role-setting NAME=VALUE   a setting of PostgreSQL for the role of all contestants, to try one out; repeatable
  --host-setting NAME=VALUE   a setting of the host, to try one out; repeatable
  --sql FILE        statements for the migrated database before anything is measured, to try a change out
  --smoke           every contestant once and shortly: checks the bench itself, no thresholds on time
  --json            the figures of every round as JSON on standard output
  --help            this text

Exit code 0: measured, and everything was correct; 1: a wrong reply or wrong books; 2: the arguments are wrong.
A missed goal is shown and does not change the exit code.`;

/** Reads the command line; null when the help was asked for, and printed. */
export function readOptions(): BenchOptions | null {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string" },
      seconds: { type: "string" },
      levels: { type: "string" },
      only: { type: "string" },
      pool: { type: "string" },
      growth: { type: "boolean" },
      "growth-rows": { type: "string" },
      recon: { type: "boolean" },
      rows: { type: "string" },
      profile: { type: "boolean" },
      audit: { type: "boolean" },
      smoke: { type: "boolean" },
      sql: { type: "string" },
      "host-setting": { type: "string", multiple: true },
      "role-setting": { type: "string", multiple: true },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(HELP);
    return null;
  }
  const isSmoke = values.smoke === true;
  const mode = values.recon
    ? "recon"
    : values.audit
      ? "audit"
      : isSmoke
        ? "smoke"
        : values.growth
          ? "growth"
          : values.profile
            ? "profile"
            : "full";
  const only = values.only?.split(",") ?? CONTESTANTS;
  for (const name of only) {
    if (!CONTESTANTS.includes(name as ContestantName)) fail(`--only: ${name} is none of ${CONTESTANTS.join(", ")}`);
  }
  return {
    mode,
    only: new Set(only as ContestantName[]),
    rounds: wholeNumber("rounds", values.rounds, isSmoke ? 1 : 5),
    seconds: isSmoke ? 0.5 : wholeNumber("seconds", values.seconds, 2),
    levels: isSmoke ? [8] : (values.levels ?? "1,8,32,64,128").split(",").map((each) => wholeNumber("levels", each, 0)),
    growthRows: wholeNumber("growth-rows", values["growth-rows"], 10_000_000),
    reconRows: wholeNumber("rows", values.rows, isSmoke ? 2_000 : 1_000_000),
    poolMax: wholeNumber("pool", values.pool, 10),
    auditRows: wholeNumber("rows", values.rows, 1_000_000),
    isJson: values.json === true,
    sqlFile: values.sql ?? null,
    hostSettings: Object.fromEntries(
      (values["host-setting"] ?? []).map((each) => {
        const [, name, value] = /^([A-Z_]+)=(.*)$/.exec(each) ?? fail("--host-setting must be NAME=VALUE");
        return [name, value];
      }),
    ) as Record<string, string>,
    roleSettings: (values["role-setting"] ?? []).map((each) => {
      if (!/^[a-z_]+=[a-z0-9_]+$/.test(each)) fail("--role-setting must be NAME=VALUE");
      return each;
    }),
  };
}

function wholeNumber(name: string, given: string | undefined, usual: number): number {
  if (given === undefined) return usual;
  if (!/^[1-9][0-9]{0,8}$/.test(given)) fail(`--${name} must be whole numbers above 0`);
  return Number(given);
}

function fail(what: string): never {
  console.error(what);
  process.exit(2);
}
