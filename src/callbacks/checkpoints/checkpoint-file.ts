import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { parseCheckpoint } from "../../domain";
import { Fault, messageOf } from "../../platform";

/** A checkpoint as it leaves the database. */
export interface OutgoingCheckpoint {
  readonly blockNo: bigint;
  readonly statement: string;
  readonly signature: Buffer;
}

/** Its JSON, one line: what the file, the bucket and the webhook all get. */
export function checkpointJson({ statement, signature }: OutgoingCheckpoint): string {
  return JSON.stringify({ statement, signature: signature.toString("hex") });
}

/**
 * Reads a file of checkpoints. A last line that a crash cut off counts for nothing.
 *
 * @throws Fault `checkpoint_file` naming the line that is none
 */
export function readCheckpointFile(path: string): OutgoingCheckpoint[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new Fault("checkpoint_file", `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  return lines.flatMap((line, at) => (line === "" ? [] : checkpointOf(line, `${path}, line ${at + 1}`)));
}

function checkpointOf(line: string, where: string): OutgoingCheckpoint {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Fault("checkpoint_file", `${where}: not JSON`);
  }
  const { statement, signature } = (value ?? {}) as { readonly statement?: unknown; readonly signature?: unknown };
  const checkpoint = typeof statement === "string" ? parseCheckpoint(statement) : null;
  if (checkpoint === null || typeof signature !== "string" || !/^[0-9a-f]{128}$/.test(signature)) {
    throw new Fault("checkpoint_file", `${where}: not a checkpoint`);
  }
  return {
    blockNo: checkpoint.blockNo,
    statement: statement as string,
    signature: Buffer.from(signature, "hex"),
  };
}

/** No line of the file is longer, bytes. */
const LINE_MAX = 4_096;

/**
 * The last checkpoint of a file; null when there is no file, or nothing in it. Reads the end only: a file grows for years.
 *
 * @throws Fault `checkpoint_file`
 */
export function lastOfCheckpointFile(path: string): OutgoingCheckpoint | null {
  if (!existsSync(path)) return null;
  let tail: string;
  try {
    const file = openSync(path, "r");
    try {
      const { size } = fstatSync(file);
      const bytes = Buffer.alloc(Math.min(size, 2 * LINE_MAX));
      const length = readSync(file, bytes, 0, bytes.length, size - bytes.length);
      tail = bytes.toString("utf8", 0, length);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new Fault("checkpoint_file", `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  const whole = tail.slice(0, tail.lastIndexOf("\n") + 1).split("\n");
  const line = whole.findLast((each) => each !== "");
  return line === undefined ? null : checkpointOf(line, `${path}, last line`);
}

/**
 * Puts a file away whose last checkpoints are of blocks that are lost: it is kept beside, and a new one begins with what both
 * have in common.
 *
 * @param agreedUntil the last block of the file that the database has as well; 0: none
 * @returns where the old file is
 */
export function putCheckpointFileAway(path: string, agreedUntil: bigint): string {
  const lines = readCheckpointFile(path);
  const last = lines.at(-1)?.blockNo ?? 0n;
  const stem = `${path}.lost-${agreedUntil + 1n}-${last}`;
  let kept = stem;
  for (let time = 2; existsSync(kept); time += 1) kept = `${stem}.${time}`;
  const begun = `${path}.new`;
  const common = lines.filter(({ blockNo }) => blockNo <= agreedUntil);
  writeFileSync(begun, common.map((each) => `${checkpointJson(each)}\n`).join(""));
  copyFileSync(path, kept);
  renameSync(begun, path);
  return kept;
}

/** Appends checkpoints and waits until the disk has them. What a crash left of a line is cut off first. */
export async function appendToCheckpointFile(path: string, checkpoints: readonly OutgoingCheckpoint[]): Promise<void> {
  if (checkpoints.length === 0) return;
  mkdirSync(dirname(path), { recursive: true });
  const whole = existsSync(path) ? readFileSync(path).lastIndexOf(0x0a) + 1 : 0;
  const file = await open(path, "a", 0o644);
  try {
    if ((await file.stat()).size > whole) await file.truncate(whole);
    await file.appendFile(checkpoints.map((each) => `${checkpointJson(each)}\n`).join(""));
    await file.sync();
  } finally {
    await file.close();
  }
}
