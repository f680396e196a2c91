import globalSetup from "../support/global-setup";
import globalTeardown from "../support/global-teardown";
import { KINDS } from "./kinds";
import { drawsOf, openTamperStage } from "./stage";

// `npm run tamper -- [times] [seed]`: every way of tampering so many times; each has to be found, its row named first, and
// what nobody has touched has to be found whole every time in between.

const [times = 20, seed = 1] = process.argv.slice(2).map(Number);

async function main(): Promise<number> {
  await globalSetup();
  const stage = await openTamperStage(40);
  let found = 0;
  let tried = 0;
  let falseAlarms = 0;
  try {
    for (const [at, kind] of KINDS.entries()) {
      let named = 0;
      for (let time = 0; time < times; time += 1) {
        const { expected, verdict } = await stage.attempt(kind, drawsOf(seed * 1_000_003 + at * 1_009 + time));
        const [first] = verdict.findings;
        if (first !== undefined && expected.test(first.row)) named += 1;
        else
          console.log(`MISSED (time ${time}): wanted ${expected}, got ${JSON.stringify(first?.row)}: ${first?.what}`);
        falseAlarms += (await stage.verify()).findings.length;
      }
      tried += times;
      found += named;
      console.log(`${String(named).padStart(3)} of ${times}  ${kind.name}`);
    }
  } finally {
    await stage.close();
    await globalTeardown();
  }
  console.log(`${found} of ${tried} located, ${falseAlarms} false alarms in ${tried} verifications of untouched rows`);
  return found === tried && falseAlarms === 0 ? 0 : 1;
}

void main().then((code) => process.exit(code));
