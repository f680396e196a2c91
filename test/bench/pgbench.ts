import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { quantileOf } from "../fuzz/program";
import type { LoaderResult } from "./loader-job";
import type { Walk } from "./messages";

/** How to get pgbench where it is missing. */
export const HOW_TO_GET_PGBENCH =
  "pgbench is not on the PATH: apt-get install postgresql-contrib, or brew install libpq; any version from 14 serves";

/** True when the PATH has pgbench. */
export function hasPgbench(): boolean {
  return spawnSync("pgbench", ["--version"], { stdio: "ignore" }).status === 0;
}

const SCRIPT = `\\set i :i + 1
\\set bill :first + (((:step + :i * :clients + :client_id) * :stride) % :size)
select bench_post_payment('P' || (:bill)::text, :bill);
`;

/** Posts payments by the function, as fast as it goes, prepared statements, `clients` connections. */
export async function runPgbench(options: {
  readonly url: string;
  readonly dir: string;
  readonly clients: number;
  readonly seconds: number;
  readonly walk: Walk;
  readonly step: number;
}): Promise<LoaderResult> {
  const { clients, walk, step } = options;
  const dir = join(options.dir, "pgbench");
  mkdirSync(dir, { recursive: true });
  const script = join(dir, "payment.sql");
  writeFileSync(script, SCRIPT);
  const url = new URL(options.url);
  const names = { i: -1, first: walk.first, step, clients, stride: walk.stride, size: walk.size };
  const child = spawn(
    "pgbench",
    [
      ...["-n", "-M", "prepared", "-c", String(clients), "-j", String(Math.min(2, clients)), "-f", script],
      ...["-T", String(Math.ceil(options.seconds)), "-l", "--log-prefix", join(dir, "log")],
      ...Object.entries(names).flatMap(([name, value]) => ["-D", `${name}=${value}`]),
      url.pathname.slice(1),
    ],
    {
      env: {
        PATH: process.env["PATH"],
        PGHOST: url.hostname,
        PGPORT: url.port,
        PGUSER: url.username,
        PGPASSWORD: url.password,
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const kill = setTimeout(() => child.kill("SIGKILL"), options.seconds * 1_000 + 60_000);
  let [output, faults] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (faults += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  clearTimeout(kill);
  const perSecond = Number(/^tps = ([0-9.]+)/m.exec(output)?.[1]);
  const answered = Number(/actually processed: ([0-9]+)/.exec(output)?.[1]);
  const failed = Number(/failed transactions: ([0-9]+)/.exec(output)?.[1] ?? 0);
  const { latencies, longest } = readLogs(dir);
  rmSync(dir, { recursive: true, force: true });
  const isWrong = code !== 0 || !Number.isFinite(perSecond);
  return {
    ...{ answered, perSecond, seconds: answered / perSecond, loaderCpu: Number.NaN },
    ...{ p50: quantileOf(latencies, 0.5), p99: quantileOf(latencies, 0.99), max: quantileOf(latencies, 1) },
    unexpected: failed + (isWrong ? 1 : 0),
    samples: isWrong ? [`pgbench ended with ${code}: ${faults.slice(-1_000)}`] : [],
    used: (longest + 2) * clients,
  };
}

/** Milliseconds of every transaction, and the most transactions that one client made. */
function readLogs(dir: string): { latencies: number[]; longest: number } {
  const latencies: number[] = [];
  let longest = 0;
  for (const file of readdirSync(dir).filter((name) => name.startsWith("log."))) {
    for (const line of readFileSync(join(dir, file), "utf8").split("\n")) {
      const [, transaction, micros] = line.split(" ");
      if (micros === undefined) continue;
      latencies.push(Number(micros) / 1_000);
      longest = Math.max(longest, Number(transaction));
    }
  }
  return { latencies, longest };
}
