import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import openapi from "../../../src/http/openapi.json";
import { RECON_PROBLEMS, statusOfProblem } from "../../../src/http/middleware/problems";

const ROOT = join(__dirname, "..", "..", "..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** Faults of other faces and of inner workings: over `/recon/v1` they are faults of ours. */
const INNER = [
  ...[
    "audit_database",
    "bad_detail",
    "broken_seal",
    "no_bill",
    "no_product",
    "no_work",
    "not_forgettable",
    "not_sealed",
  ],
  ...["proof", "process_table", "seal", "seal_key", "unbalanced"],
];

describe("the words that /recon/v1 refuses with", () => {
  it("stand for every fault that the work on settlement can end with", () => {
    const ops = readdirSync(join(ROOT, "src/ops"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => `src/ops/${name}`);
    const sources = [...ops, "src/flows/by-hand.ts", "src/flows/post-reversal.ts"].map(read);
    const codes = sources.flatMap((text) =>
      [...text.matchAll(/new Fault\(\s*"([a-z_0-9]+)"/g)].map(([, code = ""]) => code),
    );
    expect(new Set(codes).size).toBeGreaterThan(30);
    expect([...new Set(codes)].filter((code) => statusOfProblem(code) === null && !INNER.includes(code))).toEqual([]);
  });

  it("are the same in the description and in the documentation", () => {
    expect(openapi.components.schemas.Problem.properties.code.enum).toEqual(Object.keys(RECON_PROBLEMS));
    const documented = [
      ...read("docs/RECONCILIATION.md").matchAll(/^\| `([a-z0-9_]+)` +\| ([0-9, ]+?) *\| (.*?) *\|$/gm),
    ];
    expect(documented.map(([, code, statuses, title]) => [code, statuses, title])).toEqual(
      Object.entries(RECON_PROBLEMS).map(([code, [statuses, title]]) => [code, statuses.join(", "), title]),
    );
  });
});
