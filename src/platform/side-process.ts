import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { constants, setPriority } from "node:os";
import { extname } from "node:path";
import type { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { Fault, messageOf } from "./faults";

/** Pieces of work by name. What goes in and comes out is copied between processes: values, no functions. */
export type SideJobs = Readonly<Record<string, (input: never) => Promise<unknown>>>;

/** Processes beside this one for work that computes so much that those who wait for an answer here would notice. */
export interface SideProcesses<Jobs extends SideJobs> {
  /**
   * Does one piece of work in a process that does nothing else meanwhile. What the work throws is thrown here: faults with
   * their code, errors of PostgreSQL with SQLSTATE and constraint.
   *
   * @throws Fault `work_lost`: the process ended before it had answered; its connections have ended with it
   *   `overloaded`: after `close`
   */
  perform<Name extends keyof Jobs & string>(
    name: Name,
    input: Parameters<Jobs[Name]>[0],
  ): Promise<Awaited<ReturnType<Jobs[Name]>>>;
  /** Ends all of them, at work or not, and resolves when they are gone. */
  close(): Promise<void>;
}

/** How such processes are run. The caller bounds how many pieces of work there are at a time. */
export interface SideProcessOptions {
  /** The file that calls `serveSideJobs`; a source file is run from the source. */
  readonly entry: string;
  /** A process without work for so long is ended, milliseconds. */
  readonly idleMs: number;
  /** Longest time of one piece of work, milliseconds; then its process is killed. */
  readonly limitMs: number;
  /** JavaScript heap of each, MiB; who needs more ends, and not this process. */
  readonly heapMib: number;
  /** Told why a process ended that should not have, with the last it wrote. */
  readonly onFault: (fault: Fault, where: string) => void;
}

/** A process that was started beside this one. */
export interface ForkedProcess {
  readonly child: ChildProcess;
  /** Resolves with how it ended. */
  readonly gone: Promise<string>;
  /** The last that it printed. */
  tail: () => string;
}

interface Side extends ForkedProcess {
  isGone: boolean;
  rest: NodeJS.Timeout | undefined;
}

type Told =
  | { readonly kind: "done"; readonly value: unknown }
  | { readonly kind: "failed"; readonly error: Readonly<Record<string, unknown>> };

/** Longest part of what a process wrote that is kept, characters. */
const TAIL_MAX = 2_000;
const LAST_WORDS_MS = 500;

/** Starts nothing before the first piece of work. */
export function openSideProcesses<Jobs extends SideJobs>(options: SideProcessOptions): SideProcesses<Jobs> {
  const living = new Set<Side>();
  const resting: Side[] = [];
  let isClosed = false;

  function begin(): Side {
    const side: Side = { ...forkBeside(options), isGone: false, rest: undefined };
    living.add(side);
    void side.gone.then(() => {
      side.isGone = true;
      living.delete(side);
      const at = resting.indexOf(side);
      if (at >= 0) resting.splice(at, 1);
    });
    return side;
  }

  function park(side: Side): void {
    if (side.isGone || isClosed) return;
    resting.push(side);
    side.rest = setTimeout(() => {
      resting.splice(resting.indexOf(side), 1);
      side.child.disconnect();
    }, options.idleMs).unref();
  }

  return {
    async perform(name, input) {
      if (isClosed) throw new Fault("overloaded", "this process is stopping");
      const side = resting.pop() ?? begin();
      clearTimeout(side.rest);
      try {
        return (await ask(side, name, input, options)) as never;
      } finally {
        park(side);
      }
    },
    async close() {
      isClosed = true;
      const all = [...living];
      for (const { child, rest } of all) {
        clearTimeout(rest);
        child.kill("SIGKILL");
      }
      await Promise.all(all.map(({ gone }) => gone));
    },
  };
}

/** Starts a file of ours. Sources are run as tests and `npm run dev` run them, wherever this process was started. */
export function forkBeside({ entry, heapMib }: Pick<SideProcessOptions, "entry" | "heapMib">): ForkedProcess {
  const fromSource =
    extname(entry) === ".ts" ? ["--import", pathToFileURL(createRequire(entry).resolve("tsx")).href] : [];
  const child = fork(entry, [], {
    execArgv: [...fromSource, `--max-old-space-size=${heapMib}`],
    // Values come as they were: bigint, Date, bytes. What it prints is kept apart from what it answers.
    serialization: "advanced",
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let tail = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => (tail = (tail + chunk.toString("utf8")).slice(-TAIL_MAX)));
  }
  const gone = new Promise<string>((resolve) => {
    child.once("error", (error) => {
      if (child.pid === undefined) resolve(`it could not be started: ${messageOf(error)}`);
    });
    child.once("exit", (code, signal) => {
      // Its last words may still come, and whoever else holds its outputs must not keep us. ("close" is not told of a process
      // that this one has disconnected from.)
      const enough = setTimeout(() => heard(), LAST_WORDS_MS);
      const heard = (): void => {
        clearTimeout(enough);
        resolve(signal ?? `exit code ${code}`);
      };
      void Promise.all([child.stdout, child.stderr].map((stream) => endOf(stream))).then(heard);
    });
  });
  return { child, gone, tail: () => tail.trim() };
}

function endOf(stream: Readable | null): Promise<unknown> {
  return stream === null || stream.closed ? Promise.resolve() : once(stream, "close").catch(() => {});
}

function ask(side: Side, name: string, input: unknown, { limitMs, onFault }: SideProcessOptions): Promise<unknown> {
  const { child, gone } = side;
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => child.kill("SIGKILL"), limitMs);
    const onMessage = (told: Told): void => {
      clearTimeout(limit);
      child.off("message", onMessage);
      if (told.kind === "done") resolve(told.value);
      else reject(errorOf(told.error));
    };
    child.on("message", onMessage);
    void gone.then((why) => {
      clearTimeout(limit);
      const lost = new Fault("work_lost", `the process that was at work on this ended before it was done (${why})`);
      // Rejecting what has been answered is nothing.
      reject(lost);
      if (child.listeners("message").includes(onMessage)) {
        onFault(new Fault("work_lost", `${name}: ${why}; ${side.tail()}`), "side process");
      }
    });
    // Not being able to is followed by the end of the process.
    child.send({ name, input }, (error) => error !== null && child.kill("SIGKILL"));
  });
}

/** What tells those who answer requests what went wrong, of whatever was thrown. */
const TOLD_FIELDS = ["code", "severity", "constraint", "detail", "table", "column"] as const;

function tellOf(thrown: unknown): Readonly<Record<string, unknown>> {
  const given = (typeof thrown === "object" && thrown !== null ? thrown : {}) as Readonly<Record<string, unknown>>;
  const fields = TOLD_FIELDS.flatMap((field) => (typeof given[field] === "string" ? [[field, given[field]]] : []));
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  return {
    ...(Object.fromEntries(fields) as object),
    ...{ isFault: thrown instanceof Fault, message: messageOf(thrown), stack },
    remedy: thrown instanceof Fault ? thrown.remedy : null,
  };
}

function errorOf({ isFault, ...told }: Readonly<Record<string, unknown>>): Error {
  const { code, message, stack, remedy, ...more } = told as Readonly<Record<string, string>>;
  if (isFault === true) return new Fault(code ?? "", message ?? "", { remedy: remedy as Fault["remedy"] });
  const error = Object.assign(new Error(message), code === undefined ? more : { ...more, code });
  return Object.assign(error, { stack });
}

/**
 * The other side: does what it is asked for, one after the other, as long as whoever asks is there.
 */
export function serveSideJobs(jobs: SideJobs): void {
  const tell = (told: Told): void => void process.send?.(told);
  process.on("message", ({ name, input }: { readonly name: string; readonly input: never }) => {
    const job = jobs[name];
    const work = job === undefined ? Promise.reject(new Fault("no_work", `there is no work ${name}`)) : job(input);
    work.then(
      (value) => tell({ kind: "done", value }),
      (error: unknown) => tell({ kind: "failed", error: tellOf(error) }),
    );
  });
  process.on("disconnect", () => process.exit(0));
  standBack();
}

/** For a process beside another one: that one decides when it ends, and those who have somebody waiting go first. */
export function standBack(): void {
  // An interrupt from the terminal reaches the whole group.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Where that is not allowed it works at the same priority.
  }
}
