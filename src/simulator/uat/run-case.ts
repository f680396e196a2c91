import { type Clock, sleep } from "../../platform";
import { parseAmount } from "../../wire";
import { classOfCode, type ResultCodes } from "../codes";
import { type Exchange, exchange, type Manner } from "../exchange";
import { columnsOf } from "./bit61";
import { billNumberOf, buildBody, type BuildContext, type Quoted } from "./build";
import type { MannerSpec, MessageStep, RawStep, RepeatStep, Step, StormStep, UatCase } from "./case";
import { gotText, judge, type JudgedBy, wantedText } from "./judge";
import type { AnswerReport, CaseReport, StepReport } from "./report";

/** What a case runs against. Times in milliseconds. */
export interface CaseContext extends BuildContext {
  readonly quotes: Map<string, Quoted>;
  readonly billerUrl: string;
  readonly codes: ResultCodes;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** What was sent under a name, for repeats and comparisons. */
interface Past {
  readonly body: string;
  readonly kind: JudgedBy["kind"];
  answer: Exchange | undefined;
}

/** What a case has sent so far. */
interface History {
  readonly named: Map<string, Past>;
  /** By traxId: the different bodies that went out under it. */
  readonly bodies: Map<string, Set<string>>;
}

const KINDS = { inquire: "inquiry", pay: "payment", reverse: "reversal" } as const;
const MANNERS: Readonly<Record<MannerSpec, Manner>> = {
  patient: { kind: "patient" },
  "half-close": { kind: "half-close" },
  "hang-up": { kind: "hang-up", afterMs: 0 },
};
/** Between two messages that overtake each other: enough for the first to be on its way. */
const OVERTAKEN_BY_MS = 3;

/** Runs one case, step by step; later steps run also when an earlier one failed. */
export async function runCase(each: UatCase, context: CaseContext): Promise<CaseReport> {
  const startedMs = context.clock.monotonicMs();
  const past: History = { named: new Map(), bodies: new Map() };
  const steps: StepReport[] = [];
  for (const step of each.steps) steps.push(...(await runStep(step, past, context)));
  return {
    name: each.name,
    purpose: each.purpose,
    verdict: steps.every(({ problems }) => problems.length === 0) ? "pass" : "fail",
    reason: null,
    billNumbers: context.billNumbers,
    durationMs: context.clock.monotonicMs() - startedMs,
    steps,
  };
}

async function runStep(step: Step, past: History, context: CaseContext): Promise<StepReport[]> {
  if (step.do === "wait") {
    await sleep(step.ms);
    return [{ step: `wait ${step.ms} ms`, expected: "", got: "", problems: [], answers: [] }];
  }
  if (step.do === "storm") return [await storm(step, past, context)];
  if (step.do === "together") {
    const sent = step.messages.map((message) => ({ message, body: bodyOf(message, context) }));
    for (const { body } of sent) noteSent(body, past);
    const running: Promise<StepReport>[] = [];
    for (const { message, body } of sent.toReversed()) {
      running.push(sendOne(message, body, KINDS[message.do], past, context));
      await sleep(OVERTAKEN_BY_MS);
    }
    return (await Promise.all(running)).toReversed();
  }
  if (step.do === "repeat") {
    const original = past.named.get(step.of);
    if (original === undefined) throw new Error(`the case repeats "${step.of}", which was not sent before`);
    return [await sendOne(step, original.body, original.kind, past, context)];
  }
  if (step.do === "raw") return [await sendOne(step, step.body, null, past, context)];
  return [await sendOne(step, bodyOf(step, context), KINDS[step.do], past, context)];
}

function bodyOf(step: MessageStep, context: CaseContext): string {
  return buildBody(step, step.do, context, context.clock.nowMicros());
}

async function sendOne(
  step: MessageStep | RepeatStep | RawStep,
  body: string,
  kind: JudgedBy["kind"],
  past: History,
  context: CaseContext,
): Promise<StepReport> {
  const manner = "manner" in step && step.manner !== undefined ? step.manner : "patient";
  const timeoutMs = "timeoutMs" in step && step.timeoutMs !== undefined ? step.timeoutMs : context.timeoutMs;
  const contentType = step.do === "raw" ? (step.contentType ?? "application/json") : "application/json";
  const entry: Past = { body, kind, answer: undefined };
  if (step.as !== undefined) past.named.set(step.as, entry);
  if (kind !== null) noteSent(body, past);
  const answer = await exchange(context.billerUrl, body, { timeoutMs, manner: MANNERS[manner], contentType });
  entry.answer = answer;
  if (step.do === "inquire") learn(billNumberOf(step, context), answer, context);
  const by = judgedBy(entry, step.sameAs, past, context);
  return {
    step: nameOf(step),
    expected: expectedText(step, context),
    got: gotText(answer),
    problems: judge(step, answer, by),
    answers: [answerReport(answer, manner, by)],
  };
}

async function storm(step: StormStep, past: History, context: CaseContext): Promise<StepReport> {
  const nowMicros = context.clock.nowMicros();
  const bodies = Array.from({ length: step.times }, (_, at) =>
    buildBody(step, "pay", context, nowMicros, step.traxes === "each" ? `#${at}` : ""),
  );
  for (const body of bodies) noteSent(body, past);
  const answers = await Promise.all(
    bodies.map((body) => exchange(context.billerUrl, body, { timeoutMs: context.timeoutMs })),
  );
  const entries = answers.map((answer, at): Past => ({ body: bodies[at] ?? "", kind: "payment", answer }));
  const [first] = entries;
  if (step.as !== undefined && first !== undefined) past.named.set(step.as, first);
  const judged = entries.map((entry) => judgedBy(entry, step.sameAs, past, context));
  const problems = answers.flatMap((answer, at) =>
    judge(step, answer, judged[at] as JudgedBy).map((problem) => `answer ${at + 1}: ${problem}`),
  );
  const accepted = answers.filter(({ fields }) => classOfCode(context.codes, fields?.["resultCode"]) === "ok").length;
  if (step.ok !== undefined && accepted !== step.ok) problems.push(`${accepted} accepted, expected ${step.ok}`);
  const distinct = new Set(answers.map(({ reply }) => reply)).size;
  if (step.traxes === "one" && distinct > 1) problems.push(`${distinct} different replies to one traxId`);
  const counts = new Map<string, number>();
  for (const answer of answers) counts.set(gotText(answer), (counts.get(gotText(answer)) ?? 0) + 1);
  return {
    step: `storm of ${step.times} payments, ${step.traxes === "one" ? "one traxId" : "a traxId each"}`,
    expected: `${expectedText(step, context)}${step.ok === undefined ? "" : `; ${step.ok} accepted`}`,
    got: [...counts].map(([text, count]) => `${count} x ${text}`).join("; "),
    problems,
    answers: answers.map((answer, at) => answerReport(answer, "patient", judged[at] as JudgedBy)),
  };
}

/** What the bill costs now, for the payments that follow. */
function learn(billNumber: string, { fields }: Exchange, { quotes, codes }: CaseContext): void {
  const quote = quotedBy(fields, codes);
  if (quote !== null) quotes.set(billNumber, quote);
}

/** What an inquiry's answer quotes; null when it shows no bill. */
export function quotedBy(fields: Exchange["fields"], codes: ResultCodes): Quoted | null {
  if (fields === null || classOfCode(codes, fields["resultCode"]) !== "ok") return null;
  const { amount, feeAmount, bit61 } = fields;
  if (typeof amount !== "string" || typeof feeAmount !== "string" || typeof bit61 !== "string") return null;
  const [due, fee] = [parseAmount(amount), parseAmount(feeAmount)];
  return due === null || fee === null ? null : { amount: due, feeAmount: fee, bit61 };
}

function judgedBy(entry: Past, sameAs: string | undefined, past: History, context: CaseContext): JudgedBy {
  const sent = entry.kind === null ? {} : fieldsOf(entry.body);
  const same = sameAs === undefined ? undefined : past.named.get(sameAs)?.answer;
  const mayBeStored = (past.bodies.get(String(sent["traxId"]))?.size ?? 0) > 1;
  return { codes: context.codes, sent, kind: entry.kind, layout: context.layout, same, mayBeStored };
}

/** Remembers what goes out under a traxId. */
function noteSent(body: string, { bodies }: History): void {
  const traxId = String(fieldsOf(body)["traxId"]);
  bodies.set(traxId, (bodies.get(traxId) ?? new Set()).add(body));
}

function fieldsOf(body: string): Record<string, unknown> {
  return JSON.parse(body) as Record<string, unknown>;
}

function nameOf(step: MessageStep | RepeatStep | RawStep): string {
  const what = { inquire: "inquiry", pay: "payment", reverse: "reversal", raw: "raw bytes", repeat: "repeat" }[step.do];
  const of = step.do === "repeat" ? ` of "${step.of}"` : "";
  const as = step.as === undefined ? "" : ` ("${step.as}")`;
  const manner = "manner" in step && step.manner !== undefined ? `, ${step.manner}` : "";
  return `${what}${of}${as}${manner}`;
}

function expectedText(step: MessageStep | RepeatStep | RawStep | StormStep, { codes }: CaseContext): string {
  return wantedText(step, codes) + (step.sameAs === undefined ? "" : `, with the bytes of "${step.sameAs}"`);
}

function answerReport(answer: Exchange, manner: MannerSpec, { layout, sent }: JudgedBy): AnswerReport {
  const { request, status, reply, replyBytes, isReplay, failure, durationMs } = answer;
  const texts = [
    ["request", sent["bit61"]],
    ["reply", answer.fields?.["bit61"]],
  ] as const;
  return {
    request,
    manner: manner === "patient" ? null : manner,
    status,
    reply,
    replyBytes,
    isReplay,
    failure,
    durationMs,
    bit61: texts.flatMap(([of, text]) =>
      // An inquiry's request holds the bill number there, and no record.
      layout === null || typeof text !== "string" || text === "" || text === sent["billNumber"]
        ? []
        : [{ of, columns: columnsOf(layout, text) }],
    ),
  };
}
