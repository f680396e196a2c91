import { fuzzCodecs } from "./codec-run";
import { readArguments, run, tableOf } from "./program";

const ABOUT = `npm run fuzz: random and damaged input for every codec of the wire.

Each result is compared with a second reading that shares no code with the product, and whatever was read must be
written back as the same text.`;

run(() => {
  const request = readArguments(ABOUT, { count: 2_000_000, counted: "inputs, shared out over the targets" });
  if (request === null) return 0;
  const startedMs = performance.now();
  let shownMs = startedMs;
  const { results, failures } = fuzzCodecs(request, (target, done) => {
    if (performance.now() - shownMs < 1_000) return;
    shownMs = performance.now();
    console.error(`${Math.round((shownMs - startedMs) / 1_000)} s: ${target}, ${done.toLocaleString("en")} inputs`);
  });
  const columns = ["inputs", "accepted", "refused", "crashes", "misses", "seconds"] as const;
  const sums = columns.map(
    (column) => Math.round(results.reduce((sum, result) => sum + result[column], 0) * 100) / 100,
  );
  const rows = results.map((result) => [result.name, ...columns.map((column) => result[column])]);
  console.log(tableOf(["target", ...columns], [...rows, ["all", ...sums]]));
  console.log(`seed ${request.seed}`);
  for (const failure of failures) console.log(JSON.stringify(failure));
  return failures.length === 0 ? 0 : 1;
});
