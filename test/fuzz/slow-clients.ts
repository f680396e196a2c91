import { spawn } from "node:child_process";
import { join } from "node:path";
import { GoodClient } from "./good-client";
import { quantileOf, readArguments, run, tableOf } from "./program";
import { LIFE_MAX_MS, SLOW_KINDS, type SlowResult } from "./slow-sockets";
import { onStage } from "./stage";

const ABOUT = `npm run fuzz:slow: connections that never send a whole request, held open against a host in a process of its own.

A good client sends inquiries all the while. Its p99 must stay under 250 ms, the host under 300 MB, and the server must
close every slow connection by its own limits.`;

const CHILDREN = 2;
/** Until the last one is closed by the server's limits. */
const ONCE_MS = 18_000;
const AGAIN_MS = 30_000;
const ALONE_MS = 4_000;
const INQUIRIES_PER_SECOND = 50;
const CONNECTS_PER_SECOND = 2_000;
const P99_MAX_MS = 250;
const RESIDENT_MAX_BYTES = 300e6;

run(async () => {
  const request = readArguments(ABOUT, {
    ...{ count: 10_000, counted: "slow connections" },
    switched: ["again", "open each again that the server closes, for half a minute"],
  });
  if (request === null) return 0;
  const { count, seed, isSwitched: isStubborn } = request;
  return onStage(seed, 0, async ({ port, url, ended }) => {
    const failures: string[] = [];
    const alone = new GoodClient(port, INQUIRIES_PER_SECOND);
    await new Promise((resolve) => setTimeout(resolve, ALONE_MS));
    await alone.stop();

    const open = Array.from({ length: CHILDREN }, () => 0);
    const pressed = new GoodClient(port, INQUIRIES_PER_SECOND);
    let [mostOpen, mostBytes] = [0, 0];
    const watch = setInterval(() => {
      mostOpen = Math.max(
        mostOpen,
        open.reduce((sum, each) => sum + each, 0),
      );
      void residentBytes(url).then((bytes) => (mostBytes = Math.max(mostBytes, bytes)));
      console.error(`${open.join(" + ")} slow connections, ${pressed.durationsMs.length} inquiries answered`);
    }, 1_000);
    const each = Math.ceil(count / CHILDREN);
    const perChild = await Promise.all(
      open.map((_, child) =>
        slowChild(
          [port, each, isStubborn ? AGAIN_MS : ONCE_MS, CONNECTS_PER_SECOND / CHILDREN, isStubborn ? 1 : 0],
          (n) => (open[child] = n),
        ),
      ),
    );
    clearInterval(watch);
    await pressed.stop();

    const rows = SLOW_KINDS.map((kind) => {
      const results = perChild.flat().filter((result) => result.kind === kind);
      const sum = (of: (result: SlowResult) => number): number =>
        results.reduce((total, result) => total + of(result), 0);
      const longestMs = Math.max(...results.map((result) => result.longestMs));
      if (longestMs > LIFE_MAX_MS[kind]) failures.push(`${kind}: a connection lived ${Math.round(longestMs)} ms`);
      if (sum((result) => result.closedByServer) === 0) failures.push(`${kind}: the server closed none`);
      return [
        ...[
          kind,
          sum((result) => result.opened),
          sum((result) => result.closedByServer),
          sum((result) => result.refused),
        ],
        Math.round(longestMs),
        LIFE_MAX_MS[kind],
      ];
    });
    console.log(tableOf(["slow clients", "opened", "closed by server", "refused", "longest ms", "limit ms"], rows));
    const clients = [["alone", alone] as const, ["under slow clients", pressed] as const].map(
      ([name, { durationsMs, faults }]) => [
        ...[name, durationsMs.length, faults.length],
        ...[0.5, 0.99, 1].map((part) => Math.round(quantileOf(durationsMs, part) * 10) / 10),
      ],
    );
    console.log(tableOf(["good client", "answered", "faults", "p50 ms", "p99 ms", "max ms"], clients));
    console.log(
      `most slow connections at once: ${mostOpen}; resident memory at most ${Math.round(mostBytes / 1e6)} MB`,
    );

    const p99 = quantileOf(pressed.durationsMs, 0.99);
    if (!(p99 < P99_MAX_MS)) failures.push(`p99 of the good client is ${p99.toFixed(1)} ms`);
    if (pressed.faults.length > 0)
      failures.push(`the good client was failed: ${pressed.faults.slice(0, 3).join("; ")}`);
    if (!(mostBytes > 0 && mostBytes < RESIDENT_MAX_BYTES)) failures.push(`resident memory reached ${mostBytes} bytes`);
    if (mostOpen < count * 0.9) failures.push(`only ${mostOpen} slow connections were open at once`);
    if (ended() !== null) failures.push(`the host ended with ${ended()}`);
    for (const failure of failures) console.log(failure);
    console.log(failures.length === 0 ? "everything held" : `${failures.length} failures`);
    return failures.length === 0 ? 0 : 1;
  });
});

async function residentBytes(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]);
}

function slowChild(args: readonly number[], onOpen: (open: number) => void): Promise<readonly SlowResult[]> {
  return new Promise((resolve, reject) => {
    const script = join(__dirname, "slow-child.ts");
    const child = spawn(process.execPath, ["--import", "tsx", script, ...args.map(String)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (text + chunk).split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) {
        const told = JSON.parse(line) as { open?: number; results?: SlowResult[] };
        if (told.open !== undefined) onOpen(told.open);
        if (told.results !== undefined) resolve(told.results);
      }
    });
    child.once("exit", (code, signal) => reject(new Error(`a process of slow clients ended with ${code ?? signal}`)));
  });
}
