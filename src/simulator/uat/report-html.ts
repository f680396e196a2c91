import { html, type Markup, page } from "../html";
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
    head: html`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />`,
    style: { text: REPORT_STYLE },
    body: html`<main>
      <h1>Biller UAT report</h1>
      <p class="verdict ${report.verdict}">
        <strong>${VERDICTS[report.verdict]}</strong>
        <span>${totals.pass} passed, ${totals.fail} failed, ${totals.skipped} skipped</span>
      </p>
      ${failed.length > 0 ? failures(failed) : html``}
      <table class="facts">
        ${fact("Biller", report.billerUrl)}${fact("Started", report.startedAt)}
        ${fact("Duration", secondsText(report.durationMs))}${fact("Requests", String(totals.requests))}
        ${fact("Signed as", `${report.userName} (${report.signature})`)}${fact("Product", report.productCode)}
        ${fact("Seed", report.seed)}
      </table>
      <h2>Cases</h2>
      <table class="cases">
        <thead>
          <tr>
            <th>Case</th>
            <th>Verdict</th>
            <th class="number">Steps</th>
            <th class="number">Time</th>
          </tr>
        </thead>
        <tbody>
          ${cases.map(
            (each) =>
              html`<tr class="${each.verdict}">
                <td><a href="#case-${each.name}">${each.name}</a></td>
                <td><b class="badge ${each.verdict}">${VERDICTS[each.verdict]}</b></td>
                <td class="number">${each.steps.length}</td>
                <td class="number">${millisecondsText(each.durationMs)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
      <h2>Evidence</h2>
      ${cases.map(caseSection)}
    </main>`,
  });
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
  const bills = each.billNumbers.length === 0 ? html`` : html` Bills: <code>${each.billNumbers.join(" ")}</code>`;
  return html`<section class="case ${each.verdict}" id="case-${each.name}">
    <h3><b class="badge ${each.verdict}">${VERDICTS[each.verdict]}</b> ${each.name}</h3>
    <p>${each.purpose}</p>
    <p class="soft">${each.reason ?? `${millisecondsText(each.durationMs)}.`}${bills}</p>
    <ol>
      ${each.steps.map(stepItem)}
    </ol>
  </section>`;
}

function stepItem(step: StepReport): Markup {
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
    ${answers.map((answer, at) => answerPart(answer, at === 0 ? null : (answers[at - 1] ?? null), at, answers.length))}
  </li>`;
}

function answerPart(answer: AnswerReport, before: AnswerReport | null, at: number, count: number): Markup {
  const status = answer.status === null ? "no answer" : `HTTP ${answer.status}, ${answer.replyBytes} bytes`;
  const manner = answer.manner === null ? "" : `, caller: ${answer.manner}`;
  const number = count === 1 ? "" : `Answer ${at + 1} of ${count}. `;
  const isSame = before !== null && before.request === answer.request && before.reply === answer.reply;
  if (isSame) {
    return html`<p class="soft">
      ${number}The same request and reply, ${millisecondsText(answer.durationMs)}${manner}
    </p>`;
  }
  return html`<p class="soft">${number}${status}, ${millisecondsText(answer.durationMs)}${manner}</p>
    <h5>Request</h5>
    <pre>${answer.request}</pre>
    <h5>Reply</h5>
    <pre>${answer.reply ?? `(${answer.failure ?? "none"})`}</pre>
    ${answer.bit61.map(
      ({ of, columns }) =>
        html`<h5>bit61 of the ${of}</h5>
          <table class="columns">
            <thead>
              <tr>
                <th class="number">Offset</th>
                <th class="number">Width</th>
                <th>Field</th>
                <th>Characters (blanks as ·)</th>
              </tr>
            </thead>
            <tbody>
              ${columns.map(
                ({ name, offset, width, raw, problem }) =>
                  html`<tr class="${problem === null ? "" : "fail"}">
                    <td class="number">${offset}</td>
                    <td class="number">${width}</td>
                    <td>${name}</td>
                    <td><code>${raw.replaceAll(" ", "·")}</code> ${problem ?? ""}</td>
                  </tr>`,
              )}
            </tbody>
          </table>`,
    )}`;
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
