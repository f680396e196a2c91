import { type CompiledLayout, firstNonPrintable, parseAmount } from "../../wire";
import { classOfCode, isOutcomeName, type ResultCodes } from "../codes";
import type { Exchange } from "../exchange";
import type { Expectation, Wanted } from "./case";

/** What an answer is judged by. */
export interface JudgedBy {
  readonly codes: ResultCodes;
  /** What was sent, as JSON; empty when it was none. */
  readonly sent: Readonly<Record<string, unknown>>;
  /** The function of the message; null for bytes that are none. */
  readonly kind: "inquiry" | "payment" | "reversal" | null;
  readonly layout: CompiledLayout | null;
  /** The answer that this one must have the bytes of. */
  readonly same: Exchange | undefined;
  /** The traxId was sent before in other bytes: the answer may be the stored one, with the first one's time stamp. */
  readonly mayBeStored: boolean;
}

/** Fields that a reply carries back, where the dialect has them echoed. */
const ECHOED = ["transactionType", "productCode", "terminal", "bit41", "timeStamp"] as const;
const MONEY_MAX = 12;

/** Everything that is wrong with an answer; empty when it is as expected. Problems never repeat a field's value. */
export function judge(expectation: Expectation, answer: Exchange, by: JudgedBy): string[] {
  const { expect, status = [200], sameAs } = expectation;
  if (answer.failure !== null) return expect.includes("no-answer") ? [] : [`no answer: ${answer.failure}`];
  const problems: string[] = [];
  if (!status.includes(answer.status ?? 0)) {
    problems.push(`HTTP status ${answer.status}, expected ${status.join(" or ")}`);
  }
  const { fields } = answer;
  if (fields === null) return [...problems, "the reply is no JSON object"];
  const code = fields["resultCode"];
  if (!expect.some((wanted) => fits(wanted, code, by.codes))) {
    problems.push(`resultCode ${codeText(code)}, expected ${wantedText(expectation, by.codes)}`);
  }
  if (typeof code !== "string" || classOfCode(by.codes, code) === null) problems.push("resultCode is not in the map");
  if (by.kind !== null && !isMalformed(expectation)) problems.push(...faultsOfEcho(fields, by));
  if (by.kind === "inquiry" && classOfCode(by.codes, code) === "ok") problems.push(...faultsOfShown(fields, by.layout));
  const { signature } = by.sent;
  if (typeof signature === "string" && (answer.reply ?? "").includes(signature)) {
    problems.push("the reply repeats the signature");
  }
  if (sameAs !== undefined) {
    if (by.same?.reply === null || by.same === undefined)
      problems.push(`there is no answer of "${sameAs}" to compare with`);
    else if (answer.reply !== by.same.reply) problems.push(`the reply has other bytes than that of "${sameAs}"`);
  }
  return problems;
}

/** What is expected, for people: codes with their names. */
export function wantedText({ expect }: Expectation, codes: ResultCodes): string {
  return expect
    .map((wanted) => {
      if (isOutcomeName(wanted)) return `${codes[wanted]} (${wanted})`;
      return wanted === "no-answer" ? "no answer" : `a code that means ${wanted}`;
    })
    .join(" or ");
}

/** What came back, in a few words. */
export function gotText(answer: Exchange): string {
  if (answer.failure !== null) return `no answer: ${answer.failure}`;
  const { resultCode, resultDesc } = answer.fields ?? {};
  const text = typeof resultDesc === "string" ? ` ${resultDesc.slice(0, 100)}` : "";
  const stored = answer.isReplay ? ", from the biller's store" : "";
  return `HTTP ${answer.status}, ${codeText(resultCode)}${text}${stored}`;
}

function fits(wanted: Wanted, code: unknown, codes: ResultCodes): boolean {
  if (wanted === "no-answer") return false;
  return isOutcomeName(wanted) ? codes[wanted] === code : classOfCode(codes, code) === wanted;
}

function codeText(code: unknown): string {
  return typeof code === "string" ? code.slice(0, 20) : "(none)";
}

/** A malformed message may come back with what is well-formed of it only. */
function isMalformed({ expect }: Expectation): boolean {
  return expect.length === 1 && expect[0] === "BAD_FORMAT";
}

function faultsOfEcho(fields: Readonly<Record<string, unknown>>, { sent, mayBeStored }: JudgedBy): string[] {
  const faults = fields["traxId"] === sent["traxId"] ? [] : ["traxId does not come back as it was sent"];
  for (const name of mayBeStored ? ECHOED.slice(0, 2) : ECHOED) {
    // A dialect may have fewer fields echoed, but none changed.
    const isChanged = fields[name] !== undefined && sent[name] !== undefined && fields[name] !== sent[name];
    if (isChanged) faults.push(`${name} does not come back as it was sent`);
  }
  const { resultDesc } = fields;
  if (typeof resultDesc !== "string" || resultDesc.length > 100) faults.push("resultDesc is no text of at most 100");
  return faults;
}

function faultsOfShown(fields: Readonly<Record<string, unknown>>, layout: CompiledLayout | null): string[] {
  const faults = ["amount", "feeAmount"].flatMap((name) => {
    const text = fields[name];
    const isMoney = typeof text === "string" && parseAmount(text) !== null;
    return isMoney ? [] : [`${name} is not one to ${MONEY_MAX} digits`];
  });
  const { bit61 } = fields;
  if (typeof bit61 !== "string" || bit61.length === 0 || bit61.length > 999 || firstNonPrintable(bit61) !== -1) {
    return [...faults, "bit61 is not 1 to 999 characters of printable ASCII"];
  }
  const decoded = layout?.decode(bit61);
  return decoded === undefined || decoded.ok ? faults : [...faults, `bit61: ${decoded.error.message}`];
}
