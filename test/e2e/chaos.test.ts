import { randomInt } from "node:crypto";
import { FAULT_EVERY_MS, isShortForm, ROUND_MS, runCampaign, SHORT_FORM } from "../chaos/campaign";
import type { Violation } from "../chaos/check";
import { runPoints } from "../chaos/points";
import { measureSensitivity } from "../chaos/sensitivity";
import { onStage, type Stage } from "../chaos/stage";

jest.setTimeout(120_000);
/** 150 seconds alone; beside the rest of the suite up to twice that. `npm run chaos -- --short` keeps to five minutes. */
const SHORT_FORM_MAX_MS = 480_000;

/** Beside the rest of the suite the machine has no time to spare: how late an answer is, `npm run chaos` judges. */
const notOfTime = (violations: readonly Violation[]): Violation[] => violations.filter(({ kind }) => kind !== "late");

const silent = (): void => {};

/** The short form of `npm run chaos`. */
describe("while hosts, PostgreSQL, Redis and the lines between them fail", () => {
  let stage: Stage;
  let end: () => void;
  let ended: Promise<void>;
  beforeAll(async () => {
    await new Promise<void>((resolve, reject) => {
      ended = onStage(async (given) => {
        stage = given;
        resolve();
        await new Promise<void>((whenOver) => {
          end = whenOver;
        });
      });
      ended.catch(reject);
    });
  });
  afterAll(async () => {
    end();
    await ended;
  });

  it(
    "no payment is lost, posted twice, or answered in two ways, over the counts of the short form",
    async () => {
      const seed = randomInt(2 ** 31);
      const { counts, violations } = await runCampaign(stage, {
        ...{ seed, roundMs: ROUND_MS, say: silent, faultEveryMs: FAULT_EVERY_MS },
        isEnough: isShortForm,
      });
      expect({ seed, violations: notOfTime(violations) }).toEqual({ seed, violations: [] });
      expect(counts.payments).toBeGreaterThan(SHORT_FORM.storms);
      // Merchants' bills were among them, and each was told of.
      expect(counts.events).toBe(counts.toldOf);
      expect(counts.events).toBeGreaterThan(0);
    },
    SHORT_FORM_MAX_MS,
  );

  it("a line that is cut at COMMIT or in the middle of a reply changes nothing about that", async () => {
    const { cases, violations } = await runPoints(stage, silent, ["cut"]);
    expect(cases).toBe(4);
    expect(notOfTime(violations)).toEqual([]);
  });

  it("a host that does any of these is found out", async () => {
    const isWanted = (name: string): boolean => ["reply before COMMIT", "reversal does not mirror"].includes(name);
    const { results, falseAlarms } = await measureSensitivity(stage, silent, isWanted);
    expect(falseAlarms).toEqual([]);
    expect(results.map(({ caughtBy }) => caughtBy)).toEqual(["COMMIT not received", "reversing"]);
  });
});
