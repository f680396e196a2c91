/** Style sheet inside the UAT report: screen and paper. Verdicts are words as well as colours. */
export const REPORT_STYLE = `
:root { color-scheme: light; --ink: #16202b; --soft: #56616d; --line: #d8dee5; --ok: #1b7f3b; --bad: #b3261e; }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: #fff; font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.simulation { background: #ffd54a; color: #3d2f00; padding: .4rem 1rem; text-align: center; font-size: .875rem; }
main { max-width: 62rem; margin: 0 auto; padding: 1rem 1rem 4rem; }
h1 { font-size: 1.5rem; margin: .5rem 0; }
h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1.05rem; margin: 0 0 .25rem; }
h4 { font-size: .95rem; margin: 0 0 .25rem; }
h5 { font-size: .8rem; margin: .5rem 0 .15rem; color: var(--soft); }
p { margin: 0 0 .4rem; }
.verdict { display: flex; gap: 1rem; align-items: baseline; padding: .75rem 1rem; border-radius: .5rem; color: #fff; background: var(--ok); }
.verdict strong { font-size: 1.5rem; }
.verdict.fail { background: var(--bad); }
.failures { border: 2px solid var(--bad); border-radius: .5rem; padding: .75rem 1rem; margin: .75rem 0; }
.failures h2 { margin: 0 0 .25rem; color: var(--bad); }
.failures a { font-weight: 700; }
table { border-collapse: collapse; }
th, td { text-align: left; padding: .2rem .75rem .2rem 0; vertical-align: top; }
.facts th { color: var(--soft); font-weight: 400; white-space: nowrap; }
.facts td { overflow-wrap: anywhere; }
.cases { width: 100%; }
.cases th, .cases td, .columns th, .columns td { border-bottom: 1px solid var(--line); }
.cases tr.fail, .columns tr.fail { background: #fdecea; }
.cases .name { min-width: 8rem; overflow-wrap: anywhere; }
.cases .number { white-space: nowrap; }
.cases em { color: var(--soft); }
.sign { width: 100%; margin: 2rem 0 0; table-layout: fixed; }
.sign th, .sign td { border: 1px solid var(--line); padding: .4rem .75rem; }
.sign td { height: 3rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.badge { display: inline-block; min-width: 4.2rem; padding: 0 .5rem; border-radius: .25rem; text-align: center; font-size: .75rem; color: #fff; background: var(--soft); vertical-align: middle; }
.badge.pass { background: var(--ok); }
.badge.fail { background: var(--bad); }
.case { border: 1px solid var(--line); border-left: .4rem solid var(--soft); border-radius: .5rem; padding: .75rem 1rem; margin: 0 0 1rem; }
.case.pass { border-left-color: var(--ok); }
.case.fail { border-color: var(--bad); border-left-color: var(--bad); }
ol { margin: 0; padding-left: 1.5rem; }
.step { margin: .75rem 0 0; }
.step.fail { background: #fdecea; border-radius: .25rem; padding: .5rem; }
.problem { color: var(--bad); font-weight: 700; }
.soft { color: var(--soft); font-size: .85rem; }
pre, code { font: .78rem/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { margin: 0; padding: .4rem .6rem; background: #f2f5f8; border-radius: .25rem; white-space: pre-wrap; word-break: break-all; }
code { overflow-wrap: anywhere; }
.columns { font-size: .8rem; }
a { color: #0b5cad; }
@media (max-width: 40rem) {
  .cases .number { display: none; }
  .case { padding: .75rem .6rem; }
  ol { padding-left: 1.1rem; }
  .columns td, .columns th { padding-right: .4rem; overflow-wrap: anywhere; }
}
@media print {
  body { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  .simulation, .verdict, .badge, pre, tr.fail, .step.fail { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h3, h4, h5 { break-after: avoid; }
  tr, .verdict, .sign { break-inside: avoid; }
  .evidence { break-before: page; }
  thead { display: table-header-group; }
}
`;
