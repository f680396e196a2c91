import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One thing made wrong on purpose: `from` stands in the file exactly once. */
export interface Defect {
  readonly name: string;
  readonly edits: readonly { readonly file: string; readonly from: string; readonly to: string }[];
}

const CARRY_OUT = "src/ops/exceptions/carry-out.ts";
const SETTLE = "src/ops/settlement/settle.ts";
const MIGRATION = "migrations/018-receivables.ts";

/** The database refuses a second clearing by itself; without that the programs must be right alone, and the sequences see it. */
const WITHOUT_LAW: Defect["edits"] = [
  {
    file: MIGRATION,
    from: "check (opened > 0 and settled + reversed + written_off + accepted + recovered <= opened)",
    to: "check (opened > 0)",
  },
  { file: MIGRATION, from: "constraint receivable_reversed_whole check (reversed in (0, opened))", to: "check (true)" },
  {
    file: "src/domain/receivable.ts",
    from: "const isLawful = amount !== 0n && cleared[kind] >= 0n && stillDueOf(after) >= 0n && isWhole;",
    to: "const isLawful = amount !== 0n && isWhole !== null;",
  },
];

export const DEFECTS: readonly Defect[] = [
  {
    name: "A1: a settled payment is reversed by hand as well",
    edits: [
      ...WITHOUT_LAW,
      {
        file: CARRY_OUT,
        from: "if (isWhollyDue(receivable)) return;\n  const state = stateOfReceivable(receivable);\n  const what",
        to: "if (isWhollyDue(receivable) || true) return;\n  const state = stateOfReceivable(receivable);\n  const what",
      },
      {
        file: "src/flows/post-reversal.ts",
        from: "if (payment.isDue === false) throw",
        to: "if (payment.isDue === null) throw",
      },
    ],
  },
  {
    name: "A2: a late line settles a payment that was written off",
    edits: [
      {
        file: "src/ops/reconciliation/run-streams.ts",
        from: 'return isGivenUp === true ? "given-up" : "accepted";',
        to: 'return isGivenUp === null ? "given-up" : "accepted";',
      },
      {
        file: SETTLE,
        from: "     where m.status = 'paid'\n       and not exists (\n             select from matched r",
        to: "     where m.status = 'none'\n       and not exists (\n             select from matched r",
      },
      { file: SETTLE, from: "case when c.entry_id is null then g.amount else 0 end as due", to: "g.amount as due" },
      {
        file: SETTLE,
        from: "   where p.posting_no = $1 and p.undone_by is null\n     and coalesce(",
        to: "   where p.posting_no = $1 and p.undone_by is null\n     and 0 * coalesce(",
      },
      ...WITHOUT_LAW,
    ],
  },
  {
    name: "A2b: a line that was matched before its payment was reversed is settled",
    edits: [
      {
        file: SETTLE,
        from: "     where m.status = 'paid'\n       and not exists (\n             select from matched r",
        to: "     where m.status = 'none'\n       and not exists (\n             select from matched r",
      },
    ],
  },
  {
    name: "A2b: the switch's reversal after settlement is accepted",
    edits: [
      ...WITHOUT_LAW,
      {
        file: "src/domain/reversal.ts",
        from: "payment.businessDate !== facts.businessDate || payment.isDue === false",
        to: "payment.businessDate !== facts.businessDate",
      },
    ],
  },
  {
    name: "a settlement clears nothing",
    edits: [{ file: SETTLE, from: "  await clearLines(session, [postingNo, entryId, today], amount);\n", to: "" }],
  },
  {
    name: "an accepted difference clears what came only",
    edits: [
      {
        file: "src/domain/settlement-moves.ts",
        from: "else clearings.push({ entryId, kind: restKind, amount: due - settled });",
        to: "else if (left < 0n) clearings.push({ entryId, kind: restKind, amount: due - settled });",
      },
    ],
  },
  {
    name: "a recovery clears the receivable a second time",
    edits: [
      ...WITHOUT_LAW,
      {
        file: "src/domain/settlement-moves.ts",
        from: 'clearings.push({ entryId, kind, amount: -part }, { entryId, kind: "recovered", amount: part });',
        to: 'clearings.push({ entryId, kind: "recovered", amount: part });',
      },
    ],
  },
  {
    name: "what was undone stays cleared",
    edits: [
      {
        file: "src/ops/exceptions/undo.ts",
        from: "  await appendClearings(tx, { entryId, businessDate }, receivables, clearings);\n  await markUndone",
        to: "  await markUndone",
      },
    ],
  },
  {
    name: "the lines of what was undone are never posted again",
    edits: [
      { file: "src/ops/settlement/post.ts", from: "  await tx.run(MARK_LINES, [postingNo, undoneBy]);\n", to: "" },
    ],
  },
  {
    name: "what is undone leaves its item resolved",
    edits: [
      {
        file: "src/ops/exceptions/undo.ts",
        from: "  await tx.run(REOPEN, [runId, replaced",
        to: "  if (runId < 0) await tx.run(REOPEN, [runId, replaced",
      },
    ],
  },
  {
    name: "a paid line that a reversal explained is settled all the same",
    edits: [
      {
        file: CARRY_OUT,
        from: 'if (beside.state === "matched") {',
        to: "if (beside.state === null) {",
      },
    ],
  },
  {
    name: "a line whose money is posted is posted again by what is left of it",
    edits: [
      {
        file: "src/ops/exceptions/facts.ts",
        from: "const hasMoney = status !== null && !isPosted;",
        to: "const hasMoney = status !== null;",
      },
    ],
  },
  {
    name: "a finding of a replaced file can be acted on",
    edits: [
      {
        file: "src/ops/exceptions/facts.ts",
        from: "and s.superseded_by is not null)\n       for update of f`",
        to: "and s.superseded_by < 0)\n       for update of f`",
      },
    ],
  },
];

/** What became of one defect. */
export interface DefectFinding {
  readonly name: string;
  readonly isNoticed: boolean;
  readonly what: string;
}

const ROOT = join(__dirname, "../..");
const NEEDED = ["src", "migrations", "test", "package.json", "tsconfig.json"];
/** Sequences that a defect has to be noticed in. */
const SEQUENCES = 120;

/** Seeds each defect into a copy of the sources, and runs sequences there until one notices; two at a time. */
export async function tryDefects(
  defects: readonly Defect[],
  onFinding: (finding: DefectFinding) => void,
  jobs = 2,
): Promise<void> {
  const left = [...defects];
  const work = async (): Promise<void> => {
    for (let defect = left.shift(); defect !== undefined; defect = left.shift()) onFinding(await tryOne(defect));
  };
  await Promise.all(Array.from({ length: jobs }, work));
}

/** The first edit whose text is not in its file exactly once; null when all can be made. */
export function staleEdit(defect: Defect): string | null {
  const stale = defect.edits.find(({ file, from }) => readFileSync(join(ROOT, file), "utf8").split(from).length !== 2);
  return stale?.file ?? null;
}

async function tryOne(defect: Defect): Promise<DefectFinding> {
  const { name } = defect;
  const stale = staleEdit(defect);
  if (stale !== null) return { name, isNoticed: false, what: `its text is not in ${stale}` };
  const copy = mkdtempSync(join(tmpdir(), "biller-defect-"));
  try {
    for (const path of NEEDED) cpSync(join(ROOT, path), join(copy, path), { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
    for (const { file, from, to } of defect.edits) {
      const path = join(copy, file);
      writeFileSync(
        path,
        readFileSync(path, "utf8").replace(from, () => to),
      );
    }
    const { code, out } = await runIn(copy);
    const what = out.split("\n").find((line) => line.startsWith("seed ")) ?? out.trim().split("\n").at(-1) ?? "";
    return { name, isNoticed: code === 1 && what.startsWith("seed "), what: what.slice(0, 160) };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function runIn(copy: string): Promise<{ readonly code: number | null; readonly out: string }> {
  return new Promise((resolve, reject) => {
    const args = ["--import", "tsx", "test/receivables/main.ts", "--sequences", String(SEQUENCES)];
    const child = spawn(process.execPath, args, { cwd: copy, stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    child.stdout.on("data", (data: Buffer) => (out += data.toString()));
    child.stderr.on("data", (data: Buffer) => (out += data.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out }));
  });
}
