import { classOfCode, codesFrom, DEFAULT_CODES, isOutcomeName } from "../../../src/simulator/codes";
import type { Expectation, MessageStep, Step, UatCase } from "../../../src/simulator/uat/case";
import { UAT_CASES } from "../../../src/simulator/uat/cases";
import { billsNeeded } from "../../../src/simulator/uat/run";

/** Steps as they are sent, those of a group one by one. */
function flat(each: UatCase): readonly Exclude<Step, { do: "together" }>[] {
  return each.steps.flatMap((step): readonly Exclude<Step, { do: "together" }>[] =>
    step.do === "together" ? step.messages : [step],
  );
}

const isExpecting = (step: Step): step is Step & Expectation => "expect" in step;
const CLASSES = ["ok", "declined", "unknown", "no-answer"];

describe("the cases of a UAT run", () => {
  it("have names of their own, in kebab-case, and say what they show", () => {
    const names = UAT_CASES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))).toEqual([]);
    expect(UAT_CASES.filter(({ purpose }) => !/^[A-Z].{20,160}\.$/.test(purpose))).toEqual([]);
  });

  it("refer only to steps before them, or of their own group, and to bills that they have", () => {
    const faults = UAT_CASES.flatMap((each) => {
      const bills = Math.max(1, each.bills + (each.borrows ?? 0));
      const known = new Set<string>();
      return each.steps.flatMap((step) => {
        const found = (step.do === "together" ? step.messages : [step]).flatMap((one) => {
          const { of, sameAs, bill } = one as { of?: string; sameAs?: string; bill?: number | "unknown" };
          const unknown = [of, sameAs].filter((name) => name !== undefined && !known.has(name));
          if (typeof bill === "number" && bill >= bills) unknown.push(`bill ${bill}`);
          return unknown.map((name) => `${each.name}: ${name}`);
        });
        for (const one of step.do === "together" ? step.messages : [step]) {
          const { as } = one as { as?: string };
          if (as !== undefined) known.add(as);
        }
        return found;
      });
    });
    expect(faults).toEqual([]);
  });

  it("expect outcomes of the map or classes of codes, never nothing", () => {
    const wanted = UAT_CASES.flatMap(flat).flatMap((step) => (isExpecting(step) ? [step.expect] : []));
    expect(wanted.filter((each) => each.length === 0)).toEqual([]);
    expect(wanted.flat().filter((each) => !isOutcomeName(each) && !CLASSES.includes(each))).toEqual([]);
  });

  it("use up no bill before all that borrow one have run", () => {
    const needed = billsNeeded(UAT_CASES);
    expect(needed).toBe(UAT_CASES.reduce((sum, { bills }) => sum + bills, 0));
    expect(billsNeeded([])).toBe(0);
    expect(billsNeeded(UAT_CASES.filter(({ name }) => name === "inquiry"))).toBe(1);
    expect(billsNeeded(UAT_CASES.filter(({ name }) => name === "changed-amount"))).toBe(2);
  });

  it("cover every kind of step, manner, form of time stamp and length of traxId", () => {
    const steps = UAT_CASES.flatMap((each) => [...each.steps, ...flat(each)]);
    const kinds = new Set(steps.map((step) => step.do));
    expect([...kinds].toSorted()).toEqual(["inquire", "pay", "raw", "repeat", "reverse", "storm", "together", "wait"]);
    const messages = steps.filter((step): step is MessageStep => "expect" in step && !("of" in step));
    const lengths = new Set(messages.flatMap(({ traxLength = 16 }) => traxLength));
    expect(Array.from({ length: 14 }, (_, at) => 19 + at).filter((length) => !lengths.has(length))).toEqual([]);
    const forms = new Set(messages.map(({ timeStamp = "microseconds" }) => timeStamp));
    expect(forms.size).toBe(5);
    expect(new Set(messages.map(({ manner = "patient" }) => manner))).toEqual(
      new Set(["patient", "half-close", "hang-up"]),
    );
  });
});

describe("codes", () => {
  it("have a class each, and none for what the map does not know", () => {
    expect(["00", "68", "94", "05", "77", 0, undefined].map((code) => classOfCode(DEFAULT_CODES, code))).toEqual([
      "ok",
      "unknown",
      "declined",
      "declined",
      null,
      null,
      null,
    ]);
  });

  it("of a contract are laid over the default map, all faults at once", () => {
    expect(codesFrom({ APPROVED: "0000" }).codes).toMatchObject({ APPROVED: "0000", UNKNOWN: "68" });
    expect(codesFrom({ APPROVED: 0, NO_SUCH: "1" }).faults).toHaveLength(2);
    expect(codesFrom([]).faults).toHaveLength(1);
  });
});
