import { type Clock, Fault } from "../../platform";
import type { ResultCodes } from "../codes";
import { exchange } from "../exchange";
import type { Credentials } from "../message";
import { SIMULATION } from "../settings";
import { layoutOf } from "./bit61";
import { buildBody, type Quoted } from "./build";
import type { Need, UatCase } from "./case";
import { UAT_CASES } from "./cases";
import { drawFrom } from "./draw";
import { gotText } from "./judge";
import type { CaseReport, UatReport, Verdict } from "./report";
import { type CaseContext, quotedBy, runCase } from "./run-case";

/** What a run is made with. Times in milliseconds. */
export interface UatSettings {
  readonly billerUrl: string;
  readonly credentials: Credentials;
  /** Password that the biller still accepts while it is being replaced; null: there is none. */
  readonly previousPassword: string | null;
  readonly codes: ResultCodes;
  readonly productCode: string;
  /** Unpaid bills, which the run uses up. */
  readonly billNumbers: readonly string[];
  readonly seed: string;
  /** Longest wait for an answer. */
  readonly timeoutMs: number;
  /** The biller takes reversals. */
  readonly hasReversals: boolean;
  /** Names of the cases to run; null: all. */
  readonly only: readonly string[] | null;
}

type Missing = Readonly<Record<Need, string | null>>;

/**
 * Runs cases against a biller, one after the other. First asks for every bill, so that a run that cannot work says why.
 *
 * @throws Fault `unknown_case`, `unreachable`, or `too_few_bills` with how many are missing
 */
export async function runUat(
  settings: UatSettings,
  deps: { readonly clock: Clock; readonly onCase?: (report: CaseReport) => void },
): Promise<UatReport> {
  const { clock, onCase = () => {} } = deps;
  const startedMs = clock.monotonicMs();
  const startedAt = new Date(clock.nowMs()).toISOString();
  const chosen = chosenCases(settings.only);
  const { open, quotes, refused, requests } = await askForBills(settings, clock);
  const reports: CaseReport[] = [];
  const layout = layoutOf(settings.productCode);
  const missing: Missing = {
    tail: (layout?.tailWidth ?? 0) > 0 ? null : "the product's bit61 has no columns that may be absent",
    "previous-password": settings.previousPassword === null ? "no previous password was given" : null,
    reversals: settings.hasReversals ? null : "the biller takes no reversals",
  };
  const runnable = chosen.filter((each) => reasonToSkip(each, missing) === null);
  assertEnough(runnable, open, refused);
  const pool = [...open];
  for (const each of chosen) {
    const reason = reasonToSkip(each, missing);
    const report = reason === null ? await runWithBills(each, pool) : skipped(each, reason);
    reports.push(report);
    onCase(report);
  }
  const count = (verdict: Verdict): number => reports.filter((each) => each.verdict === verdict).length;
  const totals = {
    pass: count("pass"),
    fail: count("fail"),
    skipped: count("skipped"),
    requests: reports.flatMap(({ steps }) => steps).reduce((sum, { answers }) => sum + answers.length, requests),
  };
  const { userName, scheme } = settings.credentials;
  return {
    simulation: SIMULATION,
    verdict: totals.fail > 0 || totals.pass === 0 ? "fail" : "pass",
    startedAt,
    durationMs: clock.monotonicMs() - startedMs,
    billerUrl: settings.billerUrl,
    userName,
    productCode: settings.productCode,
    signature: `outer ${scheme.outer}, joiner ${scheme.joiner === "" ? "none" : scheme.joiner}`,
    seed: settings.seed,
    totals,
    cases: reports,
  };

  /** Runs a case with bills of the pool; what it borrowed goes back when it is unpaid again. */
  async function runWithBills(each: UatCase, pool: string[]): Promise<CaseReport> {
    const { bills, borrows = 0, name: caseName } = each;
    const taken = pool.splice(0, bills + borrows);
    if (taken.length < bills + borrows)
      return failed(each, "no unpaid bill is left: a case before this one cost its own");
    // A case that only looks does so at a bill that stays in the pool.
    const billNumbers = taken.length === 0 ? pool.slice(0, 1) : taken;
    if (billNumbers.length === 0) billNumbers.push(...open.slice(0, 1));
    const report = await runCase(each, { ...contextOf(settings, clock, quotes), layout, caseName, billNumbers });
    const given = taken.slice(bills);
    if (given.length > 0) pool.unshift(...(await askForBills({ ...settings, billNumbers: given }, clock)).open);
    return report;
  }
}

function chosenCases(only: readonly string[] | null): readonly UatCase[] {
  const known = new Set(UAT_CASES.map(({ name }) => name));
  const unknown = (only ?? []).filter((name) => !known.has(name));
  if (unknown.length > 0) throw new Fault("unknown_case", `no such case: ${unknown.join(", ")}; --list shows all`);
  return only === null ? UAT_CASES : UAT_CASES.filter(({ name }) => only.includes(name));
}

function contextOf(
  settings: UatSettings,
  clock: Clock,
  quotes: Map<string, Quoted>,
): Omit<CaseContext, "layout" | "caseName" | "billNumbers"> {
  const { billerUrl, credentials, previousPassword, codes, productCode, timeoutMs, seed } = settings;
  const draw = drawFrom(seed);
  return { billerUrl, credentials, previousPassword, codes, productCode, timeoutMs, quotes, clock, draw };
}

/** Bills that are unpaid, in the order given, with what they cost; and what the biller said about the others. */
async function askForBills(
  settings: UatSettings,
  clock: Clock,
): Promise<{ open: string[]; quotes: Map<string, Quoted>; refused: string[]; requests: number }> {
  const quotes = new Map<string, Quoted>();
  const refused: string[] = [];
  const wanted = [...new Set(settings.billNumbers)];
  for (const billNumber of wanted) {
    const context = {
      ...contextOf(settings, clock, quotes),
      layout: null,
      caseName: "before",
      billNumbers: [billNumber],
    };
    const body = buildBody({}, "inquire", context, clock.nowMicros());
    const answer = await exchange(settings.billerUrl, body, { timeoutMs: settings.timeoutMs });
    if (answer.failure !== null && quotes.size === 0) {
      throw new Fault("unreachable", `${settings.billerUrl} does not answer: ${answer.failure}`);
    }
    const quote = quotedBy(answer.fields, settings.codes);
    if (quote === null) refused.push(`${billNumber}: ${gotText(answer)}`);
    else quotes.set(billNumber, quote);
  }
  return { open: [...quotes.keys()], quotes, refused, requests: wanted.length };
}

function assertEnough(cases: readonly UatCase[], open: readonly string[], refused: readonly string[]): void {
  const needed = billsNeeded(cases);
  if (open.length >= needed) return;
  const others = refused.length === 0 ? "" : `\nnot unpaid:\n${refused.map((line) => `  - ${line}`).join("\n")}`;
  const text = `these cases need ${needed} unpaid bills; of those given, ${open.length} are unpaid: ${needed - open.length} missing`;
  throw new Fault("too_few_bills", `${text} (--bill, once for each)${others}`);
}

/** How many unpaid bills cases need, in this order: what they use up, and what the last ones borrow beside it. */
export function billsNeeded(cases: readonly UatCase[]): number {
  let usedUp = 0;
  let needed = cases.length > 0 ? 1 : 0;
  for (const { bills, borrows = 0 } of cases) {
    needed = Math.max(needed, usedUp + bills + borrows);
    usedUp += bills;
  }
  return needed;
}

function reasonToSkip({ needs = [] }: UatCase, missing: Missing): string | null {
  return needs.map((need) => missing[need]).find((reason) => reason !== null) ?? null;
}

function failed({ name, purpose }: UatCase, reason: string): CaseReport {
  return { name, purpose, verdict: "fail", reason, billNumbers: [], durationMs: 0, steps: [] };
}

function skipped({ name, purpose }: UatCase, reason: string): CaseReport {
  return { name, purpose, verdict: "skipped", reason, billNumbers: [], durationMs: 0, steps: [] };
}
