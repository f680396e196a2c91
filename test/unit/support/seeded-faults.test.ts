import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DEFECTS } from "../../chaos/defects";
import { DEFECTS as RECEIVABLE_DEFECTS, staleEdit } from "../../receivables/defects";
import { MUTATIONS } from "../../simulation/mutations";

const ROOT = join(__dirname, "../../..");

/** How often each text that is to be replaced stands in its file: more or less than once, and nothing sensible is tried. */
function placesOf(file: string, ...texts: readonly (string | undefined)[]): number[] {
  const source = readFileSync(join(ROOT, file), "utf8");
  return texts.flatMap((text) => (text === undefined ? [] : [source.split(text).length - 1]));
}

/** The long runs that seed them are not run with every change; their texts are those of the sources. */
describe("faults that are seeded to try the harnesses", () => {
  it.each(DEFECTS.map(({ name, edits }) => ({ name, edits })))("chaos: $name", ({ edits }) => {
    for (const { file, find } of edits) expect([file, find, ...placesOf(file, find)]).toEqual([file, find, 1]);
  });

  it.each(MUTATIONS.flatMap((each) => ("file" in each ? [each] : [])))("simulation: $name", (mutation) => {
    const { file, from, alsoFrom } = mutation;
    for (const places of placesOf(file, from, alsoFrom)) expect([file, from, places]).toEqual([file, from, 1]);
  });

  it.each(RECEIVABLE_DEFECTS)("receivables: $name", (defect) => {
    expect(staleEdit(defect)).toBeNull();
  });
});
