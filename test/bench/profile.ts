import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { tableOf } from "../fuzz/program";
import { makeBills, makeQuotes } from "./bills";
import { startLoader } from "./loader-process";
import { measure, type Measuring, PAYMENT_AMOUNT, REPEATED, type Sample, type Supply } from "./measure";
import { SCENE, walkOver } from "./messages";
import type { BenchOptions } from "./options";
import { untilQuiet } from "./processes";
import { bit61Of, openTemplate, prepareTemplate, type Stage, startOurHost } from "./stage";

/** Settings of the server that a profile needs; they cost a little, so nothing else is measured with them. */
export const PROFILE_SETTINGS = {
  shared_preload_libraries: "pg_stat_statements,auto_explain",
  "pg_stat_statements.track": "all",
  "pg_stat_statements.track_planning": "on",
  "auto_explain.log_min_duration": "25",
  "auto_explain.log_analyze": "on",
  "auto_explain.log_nested_statements": "on",
};

/** What a profile shows. */
export interface ProfileResult {
  readonly samples: readonly Sample[];
  readonly faults: readonly string[];
  readonly report: string;
}

const BILLS_PER_SECOND = 15_000;
const TOP = 40;

/** Payments at 64 connections (or the last of `--levels`), with the host's processor profile and PostgreSQL's statements. */
export async function runProfile(stage: Stage, options: BenchOptions): Promise<ProfileResult> {
  const { say } = stage;
  const connections = options.levels.includes(64) ? 64 : (options.levels.at(-1) ?? 64);
  const seconds = Math.max(options.seconds, 5);
  const bills = BILLS_PER_SECOND * (seconds + 5) + REPEATED;
  const bit61 = bit61Of(SCENE.itemAmount, false);
  await prepareTemplate(stage, false);
  const database = await openTemplate(stage);
  say(`making ${bills.toLocaleString("en")} bills`);
  await makeBills(database, { from: 0, to: bills, itemAmount: SCENE.itemAmount, paidAmount: 0 }, say);
  await makeQuotes(database, { from: 0, to: bills, itemAmount: SCENE.itemAmount, bit61 }, say);
  await database.query("vacuum (freeze, analyze)");
  await database.query("create extension pg_stat_statements");
  const profileDir = join(stage.dir, "profile");
  mkdirSync(profileDir);
  const loader = await startLoader();
  const supply: Supply = { walk: walkOver(0, bills), isEndless: false, step: 0 };
  const measuring: Measuring = {
    ...{ loader, bit61, postgresPid: stage.postgres.pid, redisPid: stage.redis.pid, amount: PAYMENT_AMOUNT },
    ...{ runTag: "PROFILE", repeated: REPEATED, quietMaxMs: 3_000 },
  };
  const host = await startOurHost(stage, database, {
    nodeArgs: ["--cpu-prof", `--cpu-prof-dir=${profileDir}`, "--cpu-prof-interval", "500"],
  });
  try {
    const order = { contestant: host, kind: "payment", expect: "approved", connections, from: supply } as const;
    say("warming up");
    const warm = await measure(measuring, { ...order, what: "warm-up", round: 0, seconds: 5 });
    await database.query("select pg_stat_statements_reset()");
    say("measuring");
    const sample = await measure(measuring, { ...order, what: "payment", round: 1, seconds });
    await untilQuiet([host.pid], 10_000);
    const statements = await database.query<StatementRow>(STATEMENTS);
    await host.stop();
    const faults = [warm, sample].flatMap(({ what, unexpected, samples }) =>
      unexpected > 0 ? [`${what}: ${unexpected} unexpected: ${samples[0]}`] : [],
    );
    const [file] = readdirSync(profileDir).filter((name) => name.endsWith(".cpuprofile"));
    const profile =
      file === undefined ? null : (JSON.parse(readFileSync(join(profileDir, file), "utf8")) as CpuProfile);
    const report = [
      `${Math.round(sample.perSecond).toLocaleString("en")} payments/s at c = ${connections}, p50 ${sample.p50.toFixed(1)} ms, ` +
        `p99 ${sample.p99.toFixed(1)} ms; processor per payment: host ${Math.round(sample.contestantMicros)} µs, ` +
        `PostgreSQL ${Math.round(sample.postgresMicros)} µs`,
      statementTable(statements, sample.answered),
      ...(profile === null ? ["no processor profile was written"] : processorTables(profile)),
    ];
    return { samples: [warm, sample], faults, report: report.join("\n\n") };
  } finally {
    await host.stop();
    loader.stop();
    await database.close();
  }
}

interface StatementRow {
  readonly query: string;
  readonly calls: bigint;
  readonly rows: bigint;
  readonly ms: number;
  readonly plan_ms: number;
  readonly blocks: bigint;
  readonly wal: string;
  readonly toplevel: boolean;
}

const STATEMENTS = `
  select regexp_replace(query, '\\s+', ' ', 'g') as query, calls, rows, total_exec_time as ms, total_plan_time as plan_ms,
         shared_blks_hit + shared_blks_read as blocks, wal_bytes::text as wal, toplevel
    from pg_stat_statements
   where dbid = (select oid from pg_database where datname = current_database())
   order by total_exec_time desc limit ${TOP}`;

/** Nested statements (of triggers and functions) are within the time of the statement that caused them. */
function statementTable(rows: readonly StatementRow[], answered: number): string {
  const all = rows.filter(({ toplevel }) => toplevel).reduce((sum, { ms }) => sum + ms, 0);
  return tableOf(
    [
      "share",
      "µs/payment",
      "calls",
      "ms/call",
      "planning",
      "blocks/call",
      "WAL B/payment",
      "statement (nested: indented)",
    ],
    rows
      .filter(({ ms }) => ms / all > 0.002)
      .map(({ query, calls, ms, plan_ms, blocks, wal, toplevel }) => [
        `${((ms / all) * 100).toFixed(1)} %`,
        ((ms * 1_000) / answered).toFixed(1),
        Number(calls).toLocaleString("en"),
        (ms / Number(calls)).toFixed(3),
        (plan_ms / Number(calls)).toFixed(3),
        (Number(blocks) / Number(calls)).toFixed(0),
        (Number(wal) / answered).toFixed(0),
        `${toplevel ? "" : "   "}${query.trim().slice(0, 90)}`,
      ]),
  );
}

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

type Frame = CpuProfile["nodes"][number]["callFrame"];

/** Time by part of the program, by function alone, and by function with all it calls; idle time left out. */
function processorTables({ nodes, samples, timeDeltas }: CpuProfile): string[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const selfOf = new Map<number, number>();
  for (const [index, id] of samples.entries()) selfOf.set(id, (selfOf.get(id) ?? 0) + (timeDeltas[index] ?? 0));
  const [parts, own, within] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
  let busy = 0;
  const add = (sums: Map<string, number>, name: string, micros: number): void =>
    void sums.set(name, (sums.get(name) ?? 0) + micros);
  for (const [id, micros] of selfOf) {
    const frame = byId.get(id)?.callFrame;
    if (frame === undefined || frame.functionName === "(idle)") continue;
    const stack: Frame[] = [];
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const above = byId.get(at)?.callFrame;
      if (above !== undefined) stack.push(above);
    }
    // Loading and starting is no part of a payment.
    if (stack.some(({ url }) => url.startsWith("node:internal/modules/"))) continue;
    busy += micros;
    add(parts, partOf(frame), micros);
    add(own, nameOf(frame), micros);
    const ours = stack.filter(({ url }) => url.includes("/dist/src/") || url.includes("/node_modules/"));
    const seen = new Set(ours.map(nameOf));
    for (const name of seen) add(within, name, micros);
  }
  const show = (title: string, sums: Map<string, number>): string =>
    tableOf(
      ["share", title],
      [...sums]
        .toSorted(([, a], [, b]) => b - a)
        .slice(0, TOP)
        .map(([name, micros]) => [`${((micros / busy) * 100).toFixed(1)} %`, name]),
    );
  return [
    show("part of the host's process", parts),
    show("function, by itself", own),
    show("function of ours or of a package, with all that it calls", within),
  ];
}

function partOf({ functionName, url }: Frame): string {
  if (url === "") return functionName.startsWith("(") ? functionName : "built-in";
  const inModules = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (inModules !== undefined) return inModules;
  const ours = /\/dist\/src\/([^/]+)/.exec(url)?.[1];
  if (ours !== undefined) return `src/${ours}`;
  return url.startsWith("node:") ? url.replace(/^(node:(?:internal\/)?[^/]+).*/, "$1") : url;
}

function nameOf({ functionName, url, lineNumber }: Frame): string {
  const file = url.replace(/^.*\/(?:node_modules|dist)\//, "").replace(/^file:\/\//, "");
  return `${functionName || "(anonymous)"}${file === "" ? "" : `  ${file}:${lineNumber + 1}`}`;
}
