import type { Markup } from "../../platform";
import { html, page } from "../html";
import type { AnswerReport, CaseReport, StepReport, UatReport, Verdict } from "./report";
import { REPORT_STYLE } from "./report-style";

const VERDICTS: Readonly<Record<Verdict, string>> = { pass: "PASS", fail: "FAIL", skipped: "SKIPPED" };

/** The report as one page: no script, nothing from outside, ready for paper. Hand it a report without secrets. */
export function reportHtml(report: UatReport): string {
  const { totals, cases } = report;
  const failed = cases.filter(({ verdict }) => verdict === "fail");
  return page({
    title: "Biller UAT report",
    language: "en",
    banner: "The switch in this run was simulated. Finpay has not taken part, and no money has moved.",
    head: html`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />`,
    style: { text: REPORT_STYLE },
    body: html`<main>
      <h1>Acceptance test of a biller host</h1>
      <p class="soft">UAT evidence report: Finpay bill payment, the switch's messages to the biller</p>
      <p class="verdict ${report.verdict}">
        <strong>${VERDICTS[report.verdict]}</strong>
        <span>${totals.pass} passed, ${totals.fail} failed, ${totals.skipped} skipped</span>
      </p>
      ${failed.length > 0 ? failures(failed) : html``}
      <table class="facts">
        ${fact("Biller", report.billerUrl)}${fact("Started", startText(report.startedAt))}
        ${fact("Duration", secondsText(report.durationMs))}${fact("Requests", String(totals.requests))}
        ${fact("Signed as", `${report.userName} (${report.signature})`)}${fact("Product", report.productCode)}
        ${fact("Seed", report.seed)}
      </table>
      ${reading(report)}
      <h2>Cases</h2>
      <table class="cases">
        <thead>
          <tr>
            <th scope="col">Case</th>
            <th scope="col">What it shows</th>
            <th scope="col">Verdict</th>
            <th scope="col" class="number">Steps</th>
            <th scope="col" class="number">Time</th>
          </tr>
        </thead>
        <tbody>
          ${cases.map(
            (each) =>
              html`<tr class="${each.verdict}">
                <td class="name"><a href="#case-${each.name}">${each.name}</a></td>
                <td>${each.purpose}${each.reason === null ? html`` : html` <em>${each.reason}</em>`}</td>
                <td><b class="badge ${each.verdict}">${VERDICTS[each.verdict]}</b></td>
                <td class="number">${each.steps.length}</td>
                <td class="number">${millisecondsText(each.durationMs)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
      ${signOff()}
      <h2 class="evidence">Evidence</h2>
      ${cases.map(caseSection)}
    </main>`,
  });
}

/** What the verdicts mean, for a reader who has not run it. */
function reading({ seed }: UatReport): Markup {
  return html`<h2>How to read this</h2>
    <p>
      A simulator in the part of the switch sent signed messages to the biller's address above, some of them damaged,
      late, repeated or out of order on purpose. Each case passes when every answer in it has the expected result code,
      repeats what it must repeat (traxId, time stamp, amounts, bit61) and leaks no signature. "Evidence" holds every
      step: what was expected, what came, and the bytes of request and reply. Passwords are left out.
    </p>
    <p>
      With seed ${seed} and the same bills, unpaid again, the run can be repeated with the same bytes but for time
      stamps and signatures. Result codes other than 00, reversals, and that billers are sent the published channel
      messages are assumptions of the simulator: compare them with the specification of the link.
    </p>`;
}

/** Lines to sign on, for paper. */
function signOff(): Markup {
  const line = (who: string): Markup =>
    html`<tr>
      <th scope="row">${who}</th>
      <td></td>
      <td></td>
      <td></td>
    </tr>`;
  return html`<table class="sign">
    <thead>
      <tr>
        <th scope="col">Seen by</th>
        <th scope="col">Name</th>
        <th scope="col">Date</th>
        <th scope="col">Signature</th>
      </tr>
    </thead>
    <tbody>
      ${line("For the biller")}${line("For Finpay")}
    </tbody>
  </table>`;
}

function failures(failed: readonly CaseReport[]): Markup {
  return html`<section class="failures">
    <h2>What failed</h2>
    <ul>
      ${failed.map(
        (each) =>
          html`<li>
            <a href="#case-${each.name}">${each.name}</a>
            <ul>
              ${each.steps.flatMap(({ step, problems }) =>
                problems.map((problem) => html`<li>${step}: <strong>${problem}</strong></li>`),
              )}
            </ul>
          </li>`,
      )}
    </ul>
  </section>`;
}

function caseSection(each: CaseReport): Markup {
  const shown = new Map<string, string>();
  const bills = each.billNumbers.length === 0 ? html`` : html` Bills: <code>${each.billNumbers.join(" ")}</code>`;
  return html`<section class="case ${each.verdict}" id="case-${each.name}">
    <h3><b class="badge ${each.verdict}">${VERDICTS[each.verdict]}</b> ${each.name}</h3>
    <p>${each.purpose}</p>
    <p class="soft">${each.reason ?? `${millisecondsText(each.durationMs)}.`}${bills}</p>
    <ol>
      ${each.steps.map((step, at) => stepItem(step, at + 1, shown))}
    </ol>
  </section>`;
}

/** @param shown bit61 tables of the case so far, and where they stand */
function stepItem(step: StepReport, stepNo: number, shown: Map<string, string>): Markup {
  const { problems, answers } = step;
  const isFailed = problems.length > 0;
  return html`<li class="step ${isFailed ? "fail" : "pass"}">
    <h4>${step.step}${isFailed ? html` <b class="badge fail">FAIL</b>` : html``}</h4>
    ${
      step.expected === ""
        ? html``
        : html`<table class="facts">
            ${fact("Expected", step.expected)}${fact("Got", step.got)}
          </table>`
    }
    ${problems.map((problem) => html`<p class="problem">${problem}</p>`)}
    ${answers.map(
      (answer, at) =>
        html`${answerPart(answer, at === 0 ? null : (answers[at - 1] ?? null), at, answers.length)}${bit61Parts(
          answer,
          at === 0 ? null : (answers[at - 1] ?? null),
          stepNo,
          shown,
        )}`,
    )}
  </li>`;
}

function answerPart(answer: AnswerReport, before: AnswerReport | null, at: number, count: number): Markup {
  const status = answer.status === null ? "no answer" : `HTTP ${answer.status}, ${answer.replyBytes} bytes`;
  const manner = answer.manner === null ? "" : `, caller: ${answer.manner}`;
  const number = count === 1 ? "" : `Answer ${at + 1} of ${count}. `;
  if (isRepeat(answer, before)) {
    return html`<p class="soft">
      ${number}The same request and reply, ${millisecondsText(answer.durationMs)}${manner}
    </p>`;
  }
  return html`<p class="soft">${number}${status}, ${millisecondsText(answer.durationMs)}${manner}</p>
    <h5>Request</h5>
    <pre>${answer.request}</pre>
    <h5>Reply</h5>
    <pre>${answer.reply ?? `(${answer.failure ?? "none"})`}</pre>`;
}

function isRepeat(answer: AnswerReport, before: AnswerReport | null): boolean {
  return before !== null && before.request === answer.request && before.reply === answer.reply;
}

/** bit61 taken apart; one that stands in the case already is pointed to. */
function bit61Parts(
  answer: AnswerReport,
  before: AnswerReport | null,
  stepNo: number,
  shown: Map<string, string>,
): readonly Markup[] {
  if (isRepeat(answer, before)) return [];
  return answer.bit61.map(({ of, columns }) => {
    const content = JSON.stringify(columns);
    const earlier = shown.get(content);
    if (earlier !== undefined) return html`<p class="soft">bit61 of the ${of}: the same characters as ${earlier}.</p>`;
    shown.set(content, `in the ${of} of step ${stepNo}`);
    const rows = columns.map(
      ({ name, offset, width, raw, problem }) =>
        html`<tr class="${problem === null ? "" : "fail"}">
          <td class="number">${offset}</td>
          <td class="number">${width}</td>
          <td>${name}</td>
          <td><code>${raw.replaceAll(" ", "·")}</code> ${problem ?? ""}</td>
        </tr>`,
    );
    return html`<h5>bit61 of the ${of}</h5>
      <table class="columns">
        <thead>
          <tr>
            <th scope="col" class="number">Offset</th>
            <th scope="col" class="number">Width</th>
            <th scope="col">Field</th>
            <th scope="col">Characters (blanks as ·)</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>`;
  });
}

/** `2026-11-21 18:12:25 WIB (11:12:25 UTC)` of an ISO instant. */
function startText(iso: string): string {
  const wib = new Date(Date.parse(iso) + 7 * 3_600_000).toISOString().slice(0, 19).replace("T", " ");
  return `${wib} WIB (${iso.slice(11, 19)} UTC)`;
}

function fact(name: string, value: string): Markup {
  return html`<tr>
    <th scope="row">${name}</th>
    <td>${value}</td>
  </tr>`;
}

function millisecondsText(ms: number): string {
  return `${Math.round(ms)} ms`;
}

function secondsText(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
