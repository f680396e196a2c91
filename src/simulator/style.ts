/** Style sheet of the payment page: phone first, readable without any picture or font from outside. */
export const PAGE_STYLE = `
:root { color-scheme: light; --ink: #16202b; --soft: #56616d; --line: #d8dee5; --accent: #0b5cad; --ground: #f2f5f8; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.simulation { background: #ffd54a; color: #3d2f00; padding: .5rem 1rem; text-align: center; font-size: .875rem; }
main { max-width: 30rem; margin: 0 auto; padding: 1rem 1rem 3rem; }
header { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; margin: .5rem 0 1rem; }
h1 { font-size: 1.25rem; margin: 0; }
h2 { font-size: 1rem; margin: 0 0 .5rem; }
section, form { background: #fff; border: 1px solid var(--line); border-radius: .75rem; padding: 1rem; margin-bottom: 1rem; }
dl { margin: 0; display: grid; grid-template-columns: auto 1fr; gap: .35rem 1rem; }
dt { color: var(--soft); }
dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
.total { border-top: 1px solid var(--line); margin-top: .75rem; padding-top: .75rem; }
.total > :nth-last-child(-n+2) { font-size: 1.125rem; font-weight: 700; color: inherit; }
.receipt { margin: .75rem 0; padding: .5rem .75rem; background: var(--ground); border-radius: .5rem; overflow-wrap: anywhere; font-size: .875rem; }
fieldset { border: 0; padding: 0; margin: 0 0 1rem; }
legend { padding: 0; font-weight: 700; margin-bottom: .5rem; }
label { display: flex; align-items: center; gap: .75rem; min-height: 3rem; padding: .5rem .75rem; border: 1px solid var(--line); border-radius: .5rem; margin-bottom: .5rem; cursor: pointer; }
label:has(input:checked) { border-color: var(--accent); background: #eef5fc; }
input[type="radio"] { margin: 0; width: 1.25rem; height: 1.25rem; accent-color: var(--accent); flex: none; }
button, .button { display: block; width: 100%; min-height: 3rem; border: 0; border-radius: .5rem; background: var(--accent); color: #fff; font: inherit; font-weight: 700; cursor: pointer; text-align: center; text-decoration: none; padding: .75rem; }
.button.quiet { background: #fff; color: var(--accent); border: 1px solid var(--accent); margin-top: .5rem; }
.backstage { border-style: dashed; border-color: #c79a00; background: #fffbea; font-size: .875rem; }
details.backstage { border: 1px dashed #c79a00; border-radius: .5rem; padding: .5rem .75rem; margin-top: 1rem; }
summary { cursor: pointer; min-height: 1.75rem; }
label.plain { display: block; border: 0; padding: 0; margin: .5rem 0 .25rem; min-height: 0; }
select { width: 100%; min-height: 2.75rem; font: inherit; padding: .25rem .5rem; border: 1px solid var(--line); border-radius: .5rem; background: #fff; color: inherit; }
.sent { margin: 0; padding-left: 1.5rem; }
.sent li { margin-bottom: .5rem; overflow-wrap: anywhere; }
.lost { color: #b3261e; font-weight: 700; }
button:focus-visible, select:focus-visible, summary:focus-visible, a:focus-visible, input:focus-visible { outline: 3px solid #f0a500; outline-offset: 2px; }
a { color: var(--accent); }
.state { border-left: .5rem solid var(--soft); }
.state.ok { border-left-color: #1b7f3b; }
.state.bad { border-left-color: #b3261e; }
.state.wait { border-left-color: #b26a00; }
.state p:last-child { margin-bottom: 0; }
p { margin: 0 0 .5rem; }
.soft { color: var(--soft); font-size: .875rem; }
code { overflow-wrap: anywhere; }
`;
