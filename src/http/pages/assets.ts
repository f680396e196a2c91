import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { extname, join } from "node:path";

/** A file that pages refer to. Its name holds a digest of its content: it may be kept forever. */
export interface Asset {
  readonly name: string;
  readonly type: string;
  readonly content: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

function load(file: string): Asset {
  const content = readFileSync(join(__dirname, "assets", file));
  const extension = extname(file);
  const digest = createHash("sha256").update(content).digest("hex").slice(0, 12);
  const name = `${file.slice(0, -extension.length)}.${digest}${extension}`;
  return { name, type: TYPES[extension] ?? "application/octet-stream", content };
}

/** What the bill's page is made of beside its text. */
export const BILL_ASSETS = { style: load("bill.css"), script: load("bill.js"), icon: load("icon.svg") } as const;

/** The same by name. */
export const ASSETS_BY_NAME: ReadonlyMap<string, Asset> = new Map(
  Object.values(BILL_ASSETS).map((asset) => [asset.name, asset]),
);
