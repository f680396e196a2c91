import { createHash } from "node:crypto";
import { mkdtemp, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { Fault, messageOf } from "../../platform";

/** Limits of a file that arrives. Times in milliseconds. */
export interface SpoolLimits {
  readonly maxBytes: number;
  /** Longest time without a byte. */
  readonly idleMs: number;
  /** Longest time for the whole file. */
  readonly totalMs: number;
}

/** A file that has arrived whole. */
export interface SpooledFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

const PREFIX = "biller-upload-";
/** What is older was left by a process that was killed: no upload may take so long. */
const LEFT_OVER_AFTER_MS = 6 * 3_600_000;

/**
 * Lets a file arrive on disk, and hands it on when it is whole; afterwards nothing of it is left. It is never held in memory:
 * the next bytes are only asked for when the last ones are written. The database learns nothing of a file that is still on its
 * way, so that a slow sender holds up neither imports nor runs.
 *
 * The stream is not destroyed when a limit is reached: whoever sends can still be answered.
 *
 * @throws Fault `upload_aborted`: the sender went away; `upload_slow`; `upload_too_large`; `upload_no_room`
 */
export async function withSpooledFile<T>(
  body: Readable,
  dir: string,
  limits: SpoolLimits,
  work: (file: SpooledFile) => Promise<T>,
): Promise<T> {
  const own = await mkdtemp(join(dir, PREFIX)).catch(noRoom);
  try {
    return await work(await receive(body, join(own, "file"), limits));
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

async function receive(body: Readable, path: string, { maxBytes, idleMs, totalMs }: SpoolLimits): Promise<SpooledFile> {
  const file = await open(path, "wx", 0o600).catch(noRoom);
  const digest = createHash("sha256");
  const clock = stopwatch(idleMs, totalMs);
  let bytes = 0;
  try {
    const chunks = body.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
    for (;;) {
      const next = await clock.unlessLate(chunks.next().catch(aborted));
      if (next.done === true) break;
      clock.onBytes();
      bytes += next.value.length;
      if (bytes > maxBytes) throw new Fault("upload_too_large", `the file is larger than ${maxBytes} bytes`);
      digest.update(next.value);
      await writeWhole(file, next.value).catch(noRoom);
    }
  } finally {
    clock.stop();
    await file.close();
  }
  return { path, bytes, sha256: digest.digest("hex") };
}

async function writeWhole(file: Awaited<ReturnType<typeof open>>, chunk: Buffer): Promise<void> {
  for (let at = 0; at < chunk.length;) at += (await file.write(chunk, at)).bytesWritten;
}

function aborted(cause: unknown): never {
  throw new Fault("upload_aborted", `the file did not arrive whole: ${messageOf(cause)}`, { cause });
}

function noRoom(cause: unknown): never {
  throw new Fault("upload_no_room", `the file cannot be kept while it arrives: ${messageOf(cause)}`, { cause });
}

/**
 * Limits of time over a row of promises. Not by a race with one promise that lasts as long as the file: it would keep every
 * piece that ever won.
 */
function stopwatch(idleMs: number, totalMs: number) {
  let late: Fault | null = null;
  let fail: (fault: Fault) => void = () => {};
  const after = (ms: number, problem: string) =>
    setTimeout(() => {
      late = new Fault("upload_slow", problem);
      fail(late);
    }, ms);
  const total = after(totalMs, `the file took longer than ${totalMs / 1_000} seconds to arrive`);
  const idle = after(idleMs, `no byte arrived for ${idleMs / 1_000} seconds`);
  return {
    unlessLate: <T>(next: Promise<T>): Promise<T> =>
      new Promise<T>((resolve, reject) => {
        fail = reject;
        if (late !== null) reject(late);
        next.then(resolve, reject);
      }),
    onBytes: () => void idle.refresh(),
    stop() {
      clearTimeout(total);
      clearTimeout(idle);
    },
  };
}

/** Removes what processes that were killed have left. Not being able to is no fault: the next start tries again. */
export async function removeLeftOvers(dir: string, nowMs: number): Promise<number> {
  let removed = 0;
  for (const name of await readdir(dir).catch(() => [])) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(dir, name);
    const found = await stat(path).catch(() => null);
    if (found === null || nowMs - found.mtimeMs < LEFT_OVER_AFTER_MS) continue;
    await rm(path, { recursive: true, force: true }).then(
      () => (removed += 1),
      () => {},
    );
  }
  return removed;
}
