/**
 * What may be made to go wrong on the way to the biller, chosen on the payment page. `answer-lost`: the first payment gets
 * out, its answer does not come back. `storm`: the same payment arrives many times at once. `silence`: no answer to any
 * payment comes back, so that it is reversed.
 */
export const FAULTS = ["none", "answer-lost", "storm", "silence"] as const;

/** One of them. */
export type Fault = (typeof FAULTS)[number];

/** How many of a storm arrive at once. */
export const STORM_SIZE = 8;

/** The fault of a form's field; `none` for anything else. */
export function faultFrom(text: string): Fault {
  return FAULTS.find((each) => each === text) ?? "none";
}
