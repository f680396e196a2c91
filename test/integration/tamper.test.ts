import { KINDS } from "../tamper/kinds";
import { drawsOf, openTamperStage, type TamperStage } from "../tamper/stage";

/** The long form is `npm run tamper`. */
const TIMES = 2;

describe("tampering by a superuser past all triggers", () => {
  let stage: TamperStage;
  beforeAll(async () => {
    stage = await openTamperStage(12);
  });
  afterAll(() => stage.close());
  afterEach(async () => {
    expect((await stage.verify()).findings).toEqual([]);
  });

  it("has enough to work on", () => {
    expect(KINDS.length).toBeGreaterThanOrEqual(12);
    expect(stage.rows.blocks.length).toBeGreaterThan(5);
    expect(stage.rows.checkpoints.at(-1)).toBe(stage.rows.blocks.at(-1));
  });

  it.each(KINDS.map((kind) => [kind.name, kind] as const))("is found and named when %s", async (_name, kind) => {
    for (let time = 0; time < TIMES; time += 1) {
      const { expected, verdict } = await stage.attempt(kind, drawsOf(7_919 * (time + 1)));
      expect(verdict.findings.length).toBeGreaterThan(0);
      expect(verdict.findings[0]?.row).toMatch(expected);
    }
  });
});
