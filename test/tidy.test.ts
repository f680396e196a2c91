import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";

const ROOT = join(__dirname, "..");
const SRC = join(ROOT, "src");

/** Who may import from whom. A room imports only what stands in its row; everything may import itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  wire: [],
  domain: [],
  platform: [],
  ledger: ["domain", "platform"],
  store: ["domain", "platform"],
  callbacks: ["domain", "wire", "platform"],
  flows: ["wire", "domain", "ledger", "store", "callbacks", "platform"],
  ops: ["wire", "domain", "ledger", "store", "callbacks", "platform"],
  http: ["flows", "ops", "wire", "platform"],
  simulator: ["wire", "platform"],
};
/** Files and rooms that put the others together: they may import anything. */
const COMPOSERS = [
  ...["cli", "compose.ts", "housekeeping.ts", "main.ts", "readiness.ts", "services.ts"],
  ...["sealing.ts", "sealing-keeper.ts", "sealing-messages.ts", "sealing-process.ts"],
];
/** Not reached through their room's index: what the composers alone need, and what needs a file system or a database. */
const OWN_DOORS = ["platform/embedded", "platform/migrate", "http/openapi.json"];

interface SourceFile {
  /** From src, with slashes. */
  readonly path: string;
  readonly room: string;
  readonly text: string;
}

function sourcesIn(directory: string): SourceFile[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return sourcesIn(path);
    if (!entry.name.endsWith(".ts")) return [];
    const fromSrc = relative(SRC, path).replaceAll("\\", "/");
    return [{ path: fromSrc, room: fromSrc.split("/")[0] as string, text: readFileSync(path, "utf8") }];
  });
}

const sources = sourcesIn(SRC);

/** Paths, from src, of the files of ours that a file imports. */
function importsOf({ path, text }: SourceFile): string[] {
  const found = text.matchAll(/(?:from|import|require\()\s*["'](\.[^"']*)["']/g);
  return [...found].map(([, target = ""]) => normalize(join(dirname(path), target)).replaceAll("\\", "/"));
}

/** The code without its comments. */
function codeOf({ text }: SourceFile): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
}

function offenders(rule: (file: SourceFile) => readonly string[]): string[] {
  return sources.flatMap((file) => rule(file).map((what) => `${file.path}: ${what}`));
}

describe("the sources", () => {
  it("are found", () => {
    expect(sources.length).toBeGreaterThan(60);
    expect(new Set(sources.map(({ room }) => room))).toContain("flows");
  });

  it("import only what the table of rooms allows", () => {
    expect(
      offenders((file) => {
        if (COMPOSERS.includes(file.room)) return [];
        const allowed = MAY_IMPORT[file.room];
        if (allowed === undefined) return [`${file.room} is no room of the table`];
        return importsOf(file).filter((target) => {
          const room = target.split("/")[0] as string;
          return room !== file.room && !allowed.includes(room);
        });
      }),
    ).toEqual([]);
  });

  it("reach another room through its index", () => {
    expect(
      offenders((file) =>
        importsOf(file).filter((target) => {
          const [room = "", ...rest] = target.split("/");
          if (room === file.room || rest.length === 0 || room in { cli: 1 }) return false;
          return !OWN_DOORS.includes(target) && !(rest.length === 1 && rest[0] === "index");
        }),
      ),
    ).toEqual([]);
  });

  it("read the environment in one place", () => {
    expect(
      offenders((file) => (file.path === "platform/config.ts" ? [] : (codeOf(file).match(/process\.env/g) ?? []))),
    ).toEqual([]);
  });

  it("take time and chance from outside in wire and domain", () => {
    const impure =
      /new Date\(\)|Date\.now|Math\.random|performance\.now|randomUUID|randomBytes|setTimeout|from "node:(?!crypto)/g;
    expect(
      offenders((file) => (["wire", "domain"].includes(file.room) ? (codeOf(file).match(impure) ?? []) : [])),
    ).toEqual([]);
  });

  it("hold SQL only in the rooms that own tables", () => {
    const sql =
      /\b(select\s+[\s\S]{1,200}?\sfrom\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s|create\s+(table|role|database)\s)/i;
    // platform/embedded and platform/migrate set up the server itself, before any room has a table.
    const isOwner = ({ path, room }: SourceFile): boolean =>
      ["ledger", "store", "callbacks", "ops"].includes(room) || path === "platform/embedded/cluster.ts";
    const texts = (file: SourceFile): string[] => codeOf(file).match(/`[^`]*`|"[^"\n]*"/g) ?? [];
    expect(offenders((file) => (isOwner(file) ? [] : texts(file).filter((text) => sql.test(text))))).toEqual([]);
  });

  it("never turn an amount into a floating-point number", () => {
    const lossy = /(?:Number|parseInt|parseFloat)\(\s*[\w.]*[aA]mount\b|\+\s*[\w.]*(?:fee)?Amount\s*\)/g;
    expect(offenders((file) => codeOf(file).match(lossy) ?? [])).toEqual([]);
  });

  it("check certificates", () => {
    expect(offenders((file) => codeOf(file).match(/rejectUnauthorized|NODE_TLS_REJECT/g) ?? [])).toEqual([]);
  });

  it("have no room for odds and ends, and no file that is two", () => {
    expect(
      offenders(({ path }) =>
        /(^|\/)(utils?|helpers?|misc|common)(\/|\.ts$)/.test(path) ? ["a name for anything"] : [],
      ),
    ).toEqual([]);
    expect(
      offenders(({ path, text }) =>
        path.includes("/specs/") || text.split("\n").length <= 350 ? [] : ["over 350 lines"],
      ),
    ).toEqual([]);
  });

  it("say in a docstring what every export is for", () => {
    const exported = /^export (?:async )?(?:abstract )?(?:function\*?|class|interface|const|enum) (\w+)/;
    expect(
      offenders(({ text }) => {
        const lines = text.split("\n");
        return lines.flatMap((line, at) => {
          const name = exported.exec(line)?.[1];
          return name === undefined || /^( \*\/|\/\*\* .*\*\/|\/\/ .*)$/.test(lines[at - 1] ?? "") ? [] : [name];
        });
      }),
    ).toEqual([]);
  });
});

describe("the tests", () => {
  const tests = readdirSync(__dirname, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".test.ts"),
  );

  it("are all run: none is focused or skipped", () => {
    const marked = tests.filter((name) =>
      /\b(?:it|test|describe)\.(?:only|skip|todo)\(|\bx(?:it|describe)\(/.test(
        readFileSync(join(__dirname, name), "utf8"),
      ),
    );
    expect(marked).toEqual([]);
  });
});
