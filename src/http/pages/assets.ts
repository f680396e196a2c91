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

/** A file to be served, of one or of several that are joined in this order. */
function load(file: string, parts: readonly string[] = [file]): Asset {
  const content = Buffer.concat(parts.map((part) => readFileSync(join(__dirname, "assets", part))));
  const extension = extname(file);
  const digest = createHash("sha256").update(content).digest("hex").slice(0, 12);
  const name = `${file.slice(0, -extension.length)}.${digest}${extension}`;
  return { name, type: TYPES[extension] ?? "application/octet-stream", content };
}

/** What the bill's page is made of beside its text. */
export const BILL_ASSETS = {
  style: load("bill.css", ["colours.css", "frame.css", "bill.css", "media.css"]),
  script: load("bill.js"),
  icon: load("icon.svg"),
} as const;

/** The same by name. */
export const ASSETS_BY_NAME: ReadonlyMap<string, Asset> = new Map(
  Object.values(BILL_ASSETS).map((asset) => [asset.name, asset]),
);
