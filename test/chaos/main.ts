import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { run, tableOf } from "../fuzz/program";
import { type CampaignOutcome, type Counts, FAULT_EVERY_MS, isShortForm, ROUND_MS, runCampaign } from "./campaign";
import type { Violation, ViolationKind } from "./check";
import { type DiskOutcome, runFullDisk } from "./disk";
import { describe, type Exchange } from "./history";
import { type PointsOutcome, runPoints } from "./points";
import { measureSensitivity, type SensitivityOutcome } from "./sensitivity";
import { onStage } from "./stage";

const HELP = `Kills and breaks what payments depend on, and proves that none is lost, posted twice, or answered in two ways.

  npm run chaos                    crash points, a full disk, then a random campaign of --minutes
  npm run chaos -- --short         five minutes at most: 100 kills of hosts, 20 of PostgreSQL, 200 storms
  npm run chaos -- --points        crash points only: named ones, on the lines, in the outbox, in jobs; each in up to four ways
  npm run chaos -- --defects       how sensitive this is: seeded defects, each to be caught within a minute

  --minutes N   length of the random campaign, default 10
  --seed N      start of the random sequence, default another one each time
  --only TEXT   with --defects or --points: those whose name holds the text, or one of several between commas
  --help        this text

Needs redis-server on the PATH. Everything is started here and ended again; data lies in a temporary directory.
Exit code 0: everything held; 1: something did not, and its history is printed, or --short did not reach its counts;
2: the arguments are wrong.`;

const SHORT_MAX_MS = 285_000;
const startedMs = performance.now();
const say = (line: string): void => {
  process.stderr.write(`${((performance.now() - startedMs) / 1_000).toFixed(0).padStart(5)} s  ${line}\n`);
};

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      ...{ short: { type: "boolean" }, points: { type: "boolean" }, defects: { type: "boolean" } },
      ...{ minutes: { type: "string" }, seed: { type: "string" }, only: { type: "string" } },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) {
    console.log(HELP);
    return 0;
  }
  const seed = wholeNumber("seed", values.seed, randomInt(2 ** 31));
  const minutes = wholeNumber("minutes", values.minutes, 10);
  const isWanted = (name: string): boolean => (values.only ?? "").split(",").some((part) => name.includes(part));
  return onStage(async (stage) => {
    say("PostgreSQL, Redis and a copy of the product are there");
    if (values.defects === true) {
      return reportDefects(await measureSensitivity(stage, say, isWanted));
    }
    if (values.points === true) return reportPoints(await runPoints(stage, say, undefined, isWanted));
    const isShort = values.short === true;
    let faults = 0;
    if (!isShort) {
      faults += reportPoints(await runPoints(stage, say));
      faults += reportDisk(await runFullDisk(stage));
    }
    const isEnough = isShort
      ? (counts: Counts) => isShortForm(counts) || performance.now() - startedMs > SHORT_MAX_MS - ROUND_MS
      : (_: Counts, rounds: number) => rounds * ROUND_MS >= minutes * 60_000;
    const outcome = await runCampaign(stage, { seed, roundMs: ROUND_MS, isEnough, say, faultEveryMs: FAULT_EVERY_MS });
    faults += reportCampaign(outcome, seed);
    if (isShort && outcome.violations.length === 0 && !isShortForm(outcome.counts)) {
      console.log("\nthe counts of the short form were not reached in five minutes: nothing is proved");
      faults += 1;
    }
    return faults === 0 ? 0 : 1;
  });
}

function wholeNumber(name: string, given: string | undefined, usual: number): number {
  if (given === undefined) return usual;
  if (!/^[0-9]{1,10}$/.test(given)) {
    console.error(`--${name} must be a whole number`);
    process.exit(2);
  }
  return Number(given);
}

function reportPoints({ results, cases, violations, exchanges, events, repeats }: PointsOutcome): number {
  const rows = results.map((each) => [each.crashPoint, each.where, each.acts.join(", "), each.cases, each.reached]);
  console.log(`\n${tableOf(["crash point", "at", "what happens", "cases", "reached"], rows)}`);
  console.log(
    `${cases} cases, ${exchanges.length} requests, ${events} events taken by merchants, ${repeats} sent again, ` +
      `${violations.length} violations`,
  );
  return reportViolations(violations, exchanges);
}

function reportDisk(outcome: DiskOutcome): number {
  if (outcome.kind === "not tried") {
    console.log(`\nfull disk: not tried, ${outcome.why}`);
    return 0;
  }
  console.log(
    `\nfull disk: ${outcome.answered} requests answered and ${outcome.unanswered} not, while it was full; ` +
      `PostgreSQL ${outcome.ended ? "ended and was started again" : "stayed up"}; ${outcome.violations.length} violations`,
  );
  return reportViolations(outcome.violations, outcome.exchanges);
}

function reportCampaign({ counts, rounds, violations, exchanges }: CampaignOutcome, seed: number): number {
  const countOf = (...kinds: ViolationKind[]): number => violations.filter(({ kind }) => kinds.includes(kind)).length;
  const rows: [string, number][] = [
    ["rounds", rounds],
    ["hosts killed", counts.appKills],
    ["hosts stood still", counts.appStandstills],
    ["hosts told to stop", counts.appRestarts],
    ["PostgreSQL killed", counts.postgresKills],
    ["faults of Redis", counts.redisFaults],
    ["faults of lines", counts.lineFaults],
    ["storms", counts.storms],
    ["requests", counts.requests],
    ["definite answers", counts.definite],
    ["unknown or in process", counts.unknown],
    ["no reply", counts.noReply],
    ["payments posted", counts.payments],
    ["for merchants, and back", counts.toldOf],
    ["events they took", counts.events],
    ["events sent again", counts.repeats],
    ["lost", countOf("lost")],
    ["doubled", countOf("doubled")],
    ["divergent", countOf("divergent", "tampered")],
    ["unresolved", countOf("unresolved")],
    ["late", countOf("late")],
    ["out of order", countOf("disordered")],
    ["broken laws", countOf("law", "host")],
    ["seed", seed],
    ["seconds", Math.round((performance.now() - startedMs) / 1_000)],
  ];
  console.log(
    `\n${rows.map(([name, n]) => `${name.padEnd(24)}${(name === "seed" ? String(n) : n.toLocaleString("en")).padStart(10)}`).join("\n")}`,
  );
  return reportViolations(violations, exchanges);
}

const SHOWN_MAX = 20;

function reportViolations(violations: readonly Violation[], exchanges: readonly Exchange[]): number {
  for (const { kind, traxId, detail } of violations.slice(0, SHOWN_MAX)) {
    console.log(`\n${kind}${traxId === null ? "" : ` ${traxId}`}: ${detail}`);
    if (traxId !== null) console.log(describe(exchanges, traxId));
  }
  if (violations.length > SHOWN_MAX) console.log(`\nand ${violations.length - SHOWN_MAX} more`);
  return violations.length === 0 ? 0 : 1;
}

function reportDefects({ results, falseAlarms }: SensitivityOutcome): number {
  const rows = results.map((each) => [each.name, each.caughtBy ?? "MISSED", each.found, each.seconds.toFixed(1)]);
  console.log(`\n${tableOf(["defect", "caught by", "as", "seconds"], rows)}`);
  const missed = results.filter(({ caughtBy }) => caughtBy === null).length;
  console.log(
    `${results.length} defects, ${results.length - missed} caught, ${missed} missed, ${falseAlarms.length} false alarms`,
  );
  for (const alarm of falseAlarms) console.log(`false alarm: ${alarm}`);
  return missed + falseAlarms.length === 0 ? 0 : 1;
}

// Ending by way of `exit` ends everything that was started.
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => process.exit(130));

run(main);
