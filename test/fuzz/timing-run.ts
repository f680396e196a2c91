import { checkContract, dialectSchema } from "../../src/domain";
import { answerMessage, compileProduct, PRODUCTS } from "../../src/flows";
import { randomIds, systemClock } from "../../src/platform";
import { PARTNER, paymentMessage, sign } from "../support/builders";
import { Chance } from "./random";
import { quantileOf } from "./program";

/** Two classes of input that a caller must not be able to tell apart by the time that they take. */
export interface Comparison {
  readonly name: string;
  /** Raw request bodies, prepared before anything is timed. */
  readonly a: (chance: Chance) => string;
  readonly b: (chance: Chance) => string;
}

/** Welch's t for all samples, and for what is left after cutting slow outliers at several heights; the largest counts. */
export interface TimingResult {
  readonly name: string;
  readonly samples: number;
  readonly meanANs: number;
  readonly meanBNs: number;
  readonly tUncropped: number;
  readonly tLargest: number;
}

/** Texts of a message are made once; only the signature differs from sample to sample. */
function withSignature(message: Readonly<Record<string, string>>, signature: string): string {
  return JSON.stringify({ ...message, signature });
}

const HEX = "0123456789abcdef";

/** Every field of the two users' messages has the same length, so that parsing and hashing are the same work. */
const KNOWN = paymentMessage({ traxId: "TIMING-0000000001" });
const UNKNOWN = paymentMessage({ traxId: "TIMING-0000000001", userName: "nobodyxx" });
const RIGHT = sign(KNOWN, PARTNER.password);

const anyHex = (chance: Chance): string => chance.text(64, HEX);

/**
 * Signatures out of pools of one size: a processor gets used to texts that it sees often, and would be quicker with the
 * class that has fewer of them, which says nothing about the password.
 */
function pool(make: (chance: Chance, at: number) => string): (chance: Chance) => string {
  const chance = new Chance(99);
  const texts = Array.from({ length: 15 }, (_, at) => make(chance, at));
  return (order) => order.pick(texts);
}

const inPlaceOf = (digit: string, at: number): string => HEX.split("").filter((each) => each !== digit)[at] as string;
const wrongFirst = pool((_, at) => inPlaceOf(RIGHT[0] as string, at) + RIGHT.slice(1));
const wrongLast = pool((_, at) => RIGHT.slice(0, 63) + inPlaceOf(RIGHT[63] as string, at));
const wrongEverywhere = pool((chance) =>
  RIGHT.split("")
    .map((digit) => inPlaceOf(digit, chance.below(15)))
    .join(""),
);

/** What is compared. */
export const COMPARISONS: readonly Comparison[] = [
  {
    name: "known user, wrong signature / unknown user",
    a: (chance) => withSignature(KNOWN, anyHex(chance)),
    b: (chance) => withSignature(UNKNOWN, anyHex(chance)),
  },
  {
    name: "signature wrong in its first digit / in its last",
    a: (chance) => withSignature(KNOWN, wrongFirst(chance)),
    b: (chance) => withSignature(KNOWN, wrongLast(chance)),
  },
  {
    name: "signature wrong in all digits / in its last",
    a: (chance) => withSignature(KNOWN, wrongEverywhere(chance)),
    b: (chance) => withSignature(KNOWN, wrongLast(chance)),
  },
  {
    name: "control: the same class twice",
    a: (chance) => withSignature(KNOWN, anyHex(chance)),
    b: (chance) => withSignature(KNOWN, anyHex(chance)),
  },
];

/** The flow up to the door, with desks that nothing here may reach. */
function door(): (body: string) => Promise<{ readonly outcome: string }> {
  const dialect = dialectSchema.parse({});
  const contract = checkContract(dialect);
  if (!contract.ok) throw new Error(contract.faults.join("; "));
  const partner = {
    ...{ partnerId: 1, userName: PARTNER.userName, name: "test", productCodes: ["001001"], dialect },
    ...{ passwords: [PARTNER.password], mayComeFrom: () => true, codes: contract.codes },
  };
  const products = new Map(
    PRODUCTS.map((each) => [each.productCode, compileProduct(each.productCode, each.name, each.definition)]),
  );
  const unreachable = (): never => {
    throw new Error("a message without a valid signature reached a desk");
  };
  const deps: Parameters<typeof answerMessage>[0] = {
    clock: systemClock,
    ids: randomIds,
    catalog: {
      current: {
        partners: new Map([[PARTNER.userName, partner]]),
        products,
        merchants: { byServiceId: new Map(), byId: new Map() },
      },
    },
    inquiries: { submit: unreachable, idle: async () => {} },
    payments: { submit: unreachable, waiting: 0, idle: async () => {} },
    reversals: { submit: unreachable, waiting: 0, idle: async () => {} },
    drift: { note: () => {} },
    onFault: unreachable,
  };
  return (rawBody) => answerMessage(deps, { rawBody, accepts: "any", sourceAddress: "127.0.0.1" });
}

const BLOCK = 2_000;

/**
 * Times `count` messages, both classes in random order. The messages of a block are made first and their order is drawn
 * first, so that between two readings of the clock stands nothing but the flow itself.
 */
export async function timeDoor(
  { name, a, b }: Comparison,
  count: number,
  seed: number,
  answer = door(),
): Promise<TimingResult> {
  const chance = new Chance(seed, 7);
  const times: [number[], number[]] = [[], []];
  // The first blocks are not counted: until then the code is being compiled.
  for (let done = -5 * BLOCK; done < count; done += BLOCK) {
    const order = Array.from({ length: BLOCK }, () => chance.below(2));
    const bodies = order.map((side) => (side === 0 ? a : b)(chance));
    for (const [at, side] of order.entries()) {
      const startedNs = process.hrtime.bigint();
      const { outcome } = await answer(bodies[at] as string);
      const tookNs = Number(process.hrtime.bigint() - startedNs);
      if (outcome !== "BAD_AUTH") throw new Error(`answered ${outcome}`);
      if (done >= 0) times[side as 0 | 1].push(tookNs);
    }
  }
  return { name, samples: times[0].length + times[1].length, ...compare(times) };
}

/** Samples above these shares of all are cut, as dudect does: what is left shows small differences more clearly. */
const CROPS = [1, 0.99, 0.95, 0.9, 0.75, 0.5];

function compare([a, b]: readonly [readonly number[], readonly number[]]): Omit<TimingResult, "name" | "samples"> {
  const all = [...a, ...b];
  const values = CROPS.map((share) => {
    const limit = share === 1 ? Infinity : quantileOf(all, share);
    return welch(
      a.filter((each) => each <= limit),
      b.filter((each) => each <= limit),
    );
  });
  const largest = values.reduce((worst, each) => (Math.abs(each) > Math.abs(worst) ? each : worst));
  return {
    meanANs: momentsOf(a).mean,
    meanBNs: momentsOf(b).mean,
    tUncropped: values[0] ?? Number.NaN,
    tLargest: largest,
  };
}

/** Welch's t: the difference of the means over its standard error, variances not assumed to be equal. */
export function welch(a: readonly number[], b: readonly number[]): number {
  const [left, right] = [momentsOf(a), momentsOf(b)];
  return (left.mean - right.mean) / Math.sqrt(left.variance / a.length + right.variance / b.length);
}

function momentsOf(values: readonly number[]): { mean: number; variance: number } {
  let [mean, squares] = [0, 0];
  for (const [at, value] of values.entries()) {
    const delta = value - mean;
    mean += delta / (at + 1);
    squares += delta * (value - mean);
  }
  return { mean, variance: squares / (values.length - 1) };
}
