import { Unreadable } from "./settlement-text";

/** A way to write that an amount is below zero. */
export type NegativeForm = "leading-minus" | "trailing-minus" | "parentheses";

/** How amounts are written. */
export interface SettlementAmountForm {
  readonly thousands: string;
  readonly decimals: string;
  readonly decimalPlaces: number;
  /** Last digits that are decimals, without a sign before them. */
  readonly impliedDecimals: number;
  readonly prefix: string;
  readonly suffix: string;
  /** null: no amount is below zero. */
  readonly negative: { readonly written: readonly NegativeForm[] } | null;
}

/** Bare digits. */
export const PLAIN_AMOUNTS: SettlementAmountForm = {
  thousands: "",
  decimals: "",
  decimalPlaces: 0,
  impliedDecimals: 0,
  prefix: "",
  suffix: "",
  negative: null,
};

/** Digits of one amount, as everywhere on the wire, and of the sums of control records, which may be of a million lines. */
const DIGITS_MAX = { one: 12, sum: 18 } as const;
const DIGITS_NAMES = { one: "twelve digits", sum: "eighteen digits" } as const;
const TEXT_MAX = 60;

/**
 * A reader of amounts in whole rupiah; blanks around them are left out of account. An amount below zero is read as such
 * where the form knows it.
 *
 * @param size how large amounts may be: those of one line, or sums
 */
export function amountReader(
  form: SettlementAmountForm,
  size: keyof typeof DIGITS_MAX = "one",
): (text: string) => bigint | Unreadable {
  const { prefix, suffix, negative } = form;
  const written = negative?.written ?? [];
  const wrong = new Unreadable(`is no amount of the form ${shownForm(form)}`);
  const amountMax = 10n ** BigInt(DIGITS_MAX[size]) - 1n;
  return (text) => {
    const given = text.trim();
    if (given.length > TEXT_MAX) return wrong;
    const outer = signOf(given, written);
    let rest = outer.rest;
    if (prefix !== "") {
      if (!rest.startsWith(prefix)) return wrong;
      rest = rest.slice(prefix.length).trimStart();
    }
    if (suffix !== "") {
      if (!rest.endsWith(suffix)) return wrong;
      rest = rest.slice(0, -suffix.length).trimEnd();
    }
    const inner = outer.sign === "" ? signOf(rest, written) : { sign: outer.sign, rest };
    if (/^-|-$|^\(.*\)$/.test(inner.rest)) return new Unreadable("is negative");
    const digits = wholeDigits(inner.rest, form, wrong);
    if (digits instanceof Unreadable) return digits;
    const amount = BigInt(digits);
    if (amount > amountMax) return new Unreadable(`is over ${DIGITS_NAMES[size]}`);
    return inner.sign === "-" ? -amount : amount;
  };
}

/** The digits of the rupiah, without thousands and decimals. */
function wholeDigits(text: string, form: SettlementAmountForm, wrong: Unreadable): string | Unreadable {
  const { thousands, decimals, decimalPlaces, impliedDecimals } = form;
  let rest = text;
  if (decimals !== "") {
    const at = rest.length - decimalPlaces - 1;
    if (rest[at] !== decimals) return wrong;
    const fraction = rest.slice(at + 1);
    if (!/^[0-9]+$/.test(fraction)) return wrong;
    if (!/^0+$/.test(fraction)) return new Unreadable("has parts of a rupiah");
    rest = rest.slice(0, at);
  }
  if (thousands !== "" && rest.includes(thousands)) {
    const [first = "", ...groups] = rest.split(thousands);
    if (first.length < 1 || first.length > 3 || groups.some((group) => group.length !== 3)) return wrong;
    rest = first + groups.join("");
  }
  if (!/^[0-9]+$/.test(rest)) return wrong;
  if (impliedDecimals === 0) return rest;
  if (!/^0+$/.test(rest.slice(-impliedDecimals))) return new Unreadable("has parts of a rupiah");
  return rest.slice(0, -impliedDecimals) || "0";
}

/** The sign of an amount, by the ways of writing that are known, and what stands beside it. */
function signOf(
  text: string,
  written: readonly NegativeForm[],
): { readonly sign: "" | "+" | "-"; readonly rest: string } {
  const [first, last] = [text[0], text.at(-1)];
  if (written.includes("leading-minus") && (first === "-" || first === "+"))
    return { sign: first, rest: text.slice(1).trimStart() };
  if (written.includes("trailing-minus") && (last === "-" || last === "+"))
    return { sign: last, rest: text.slice(0, -1).trimEnd() };
  if (written.includes("parentheses") && first === "(" && last === ")")
    return { sign: "-", rest: text.slice(1, -1).trim() };
  return { sign: "", rest: text };
}

function shownForm({
  thousands,
  decimals,
  decimalPlaces,
  impliedDecimals,
  prefix,
  suffix,
}: SettlementAmountForm): string {
  const whole = thousands === "" ? "1234567" : ["1", "234", "567"].join(thousands);
  const shown = `${prefix}${whole}${decimals}${"0".repeat(decimalPlaces + impliedDecimals)}${suffix}`;
  return impliedDecimals === 0 ? shown : `${shown}, its last ${impliedDecimals} digits being decimals`;
}
