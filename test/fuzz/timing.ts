import { readArguments, run, tableOf } from "./program";
import { COMPARISONS, timeDoor } from "./timing-run";

const ABOUT = `npm run timing: can the time of a refusal tell an attacker anything? Welch's t-test over the door of the flow.

Two classes of messages are timed in random order. |t| below 4.5 means that the classes cannot be told apart. Run it on a
machine that does nothing else; it is no gate, since a busy machine can make it fail.`;

const T_MAX = 4.5;

run(async () => {
  const request = readArguments(ABOUT, { count: 100_000, counted: "samples per comparison" });
  if (request === null) return 0;
  const rows: (string | number)[][] = [];
  let isPassed = true;
  for (const comparison of COMPARISONS) {
    console.error(comparison.name);
    const { name, samples, meanANs, meanBNs, tUncropped, tLargest } = await timeDoor(
      comparison,
      request.count,
      request.seed,
    );
    const isEqual = Math.abs(tLargest) < T_MAX;
    isPassed &&= isEqual;
    rows.push([
      name,
      samples,
      Math.round(meanANs),
      Math.round(meanBNs),
      tUncropped.toFixed(2),
      tLargest.toFixed(2),
      isEqual ? "equal" : "DIFFERENT",
    ]);
  }
  console.log(
    tableOf(["comparison", "samples", "mean A ns", "mean B ns", "t", "t, worst crop", `|t| < ${T_MAX}`], rows),
  );
  console.log(`seed ${request.seed}`);
  return isPassed ? 0 : 1;
});
