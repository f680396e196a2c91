import type { Build } from "./build";
import { DEFECTS, type Defect } from "./defects";
import { SCENARIOS, type ScenarioName } from "./scenarios";
import type { Stage } from "./stage";

/** What became of one defect. */
export interface DefectResult {
  readonly name: string;
  /** Null: nothing noticed it. */
  readonly caughtBy: ScenarioName | null;
  /** What was found, in short. */
  readonly found: string;
  readonly seconds: number;
}

/** How the harness did. */
export interface SensitivityOutcome {
  readonly results: readonly DefectResult[];
  /** Scenarios that find something in the product as it is: what they find elsewhere proves nothing. */
  readonly falseAlarms: readonly string[];
}

const DEFECT_MAX_S = 60;

/** Runs every defect that is asked for against the smallest scenario that should find it, after these without any defect. */
export async function measureSensitivity(
  stage: Stage,
  say: (line: string) => void,
  isWanted: (name: string) => boolean = () => true,
): Promise<SensitivityOutcome> {
  const wanted = DEFECTS.filter(({ name }) => isWanted(name));
  // All of them first: an edit whose place is gone is known at once.
  const builds = wanted.map(({ edits }, index) => stage.snapshot.build(`defect-${index}`, edits));
  const falseAlarms: string[] = [];
  for (const name of new Set(wanted.flatMap(({ scenarios }) => scenarios))) {
    const violations = await SCENARIOS[name](stage, stage.build, false);
    say(`control: ${name}: ${violations.length === 0 ? "nothing" : violations[0]?.detail}`);
    if (violations.length > 0) falseAlarms.push(`${name}: ${violations[0]?.detail}`);
  }
  const results: DefectResult[] = [];
  for (const [index, defect] of wanted.entries()) {
    const result = await tryDefect(stage, defect, builds[index] as Build);
    say(`${result.caughtBy === null ? "MISSED" : "caught"}: ${result.name} (${result.found}, ${result.seconds} s)`);
    results.push(result);
  }
  return { results, falseAlarms };
}

async function tryDefect(stage: Stage, defect: Defect, build: Build): Promise<DefectResult> {
  const startedMs = performance.now();
  const secondsSoFar = (): number => Math.round((performance.now() - startedMs) / 100) / 10;
  for (const name of defect.scenarios) {
    const [first] = await SCENARIOS[name](stage, build, defect.ownSchema === true);
    const seconds = secondsSoFar();
    if (first !== undefined && seconds <= DEFECT_MAX_S) {
      return { name: defect.name, caughtBy: name, found: `${first.kind}: ${first.detail}`.slice(0, 90), seconds };
    }
  }
  return { name: defect.name, caughtBy: null, found: "nothing", seconds: secondsSoFar() };
}
