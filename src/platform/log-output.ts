import { write, writeSync } from "node:fs";

/** Where log lines go: to a file descriptor, by another thread, a block at a time. */
export interface LogOutput {
  write(line: string): void;
  /** Writes what waits before it returns, unless whoever reads stands still or is gone. */
  flushSync(): void;
  /** Lines that were dropped because they were not taken. */
  readonly dropped: number;
}

const BLOCK_CHARACTERS = 8_192;
const WAITING_MAX_CHARACTERS = 16 * 1_024 * 1_024;
/** Times in milliseconds. */
const GATHER_MS = 200;
const RETRY_MS = 20;
const STANDSTILL_MS = 1_000;

/**
 * Gathers lines into blocks of 8 KB, or of what there is after a fifth of a second: each write is a hand-over between threads.
 * What does not fit into 16 Mi characters of waiting lines is dropped and counted. When nobody is there to read any more
 * (EPIPE, EBADF), everything is dropped: a log that cannot be written holds up neither a payment nor the end of the process.
 * (sonic-boom, which comes with pino, tries for ever to write at the end to a pipe whose reader is gone.)
 */
export function openLogOutput(fd: number): LogOutput {
  let lines: string[] = [];
  let characters = 0;
  let dropped = 0;
  let isGone = false;
  let writingSinceMs: number | null = null;
  let timer: NodeJS.Timeout | undefined;

  function take(): Buffer {
    const block = Buffer.from(lines.join(""));
    lines = [];
    characters = 0;
    return block;
  }

  function giveUp(): void {
    isGone = true;
    dropped += lines.length;
    take();
  }

  function send(): void {
    clearTimeout(timer);
    timer = undefined;
    if (writingSinceMs !== null || isGone || lines.length === 0) return;
    writeOut(take());
  }

  function writeOut(block: Buffer): void {
    writingSinceMs ??= performance.now();
    write(fd, block, (error, count) => {
      if (isBusy(error)) {
        setTimeout(() => writeOut(block), RETRY_MS);
        return;
      }
      if (error === null && count < block.length) return writeOut(block.subarray(count));
      writingSinceMs = null;
      if (error !== null) return giveUp();
      if (characters >= BLOCK_CHARACTERS) send();
      else arm();
    });
  }

  function arm(): void {
    if (lines.length > 0) timer ??= setTimeout(send, GATHER_MS).unref();
  }

  return {
    get dropped() {
      return dropped;
    },
    write(line) {
      if (isGone || characters + line.length > WAITING_MAX_CHARACTERS) {
        dropped += 1;
        return;
      }
      lines.push(line);
      characters += line.length;
      if (characters >= BLOCK_CHARACTERS) send();
      else arm();
    },
    flushSync() {
      const standsStill = writingSinceMs !== null && performance.now() - writingSinceMs > STANDSTILL_MS;
      if (isGone || standsStill) return giveUp();
      const giveUpAtMs = performance.now() + STANDSTILL_MS;
      for (let block = take(); block.length > 0;) {
        try {
          block = block.subarray(writeSync(fd, block));
        } catch (error) {
          if (!isBusy(error) || performance.now() > giveUpAtMs) return giveUp();
          Atomics.wait(PAUSE, 0, 0, RETRY_MS);
        }
      }
    },
  };
}

const PAUSE = new Int32Array(new SharedArrayBuffer(4));

function isBusy(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === "EAGAIN" || code === "EBUSY";
}
