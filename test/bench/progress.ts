/**
 * Lines on standard error; after two seconds of silence the last one again, with the time. After an interrupt `say` throws,
 * so that the run unwinds and takes down what it started; a second interrupt ends it at once.
 */
export interface Progress {
  readonly say: (line: string) => void;
  readonly stop: () => void;
}

const SILENCE_MS = 1_800;

export function startProgress(): Progress {
  const startedMs = performance.now();
  let last = "starting";
  let saidMs = startedMs;
  let isInterrupted = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (isInterrupted) process.exit(130);
      isInterrupted = true;
      write(`${signal}: stopping what was started`);
    });
  }
  const write = (line: string): void => {
    saidMs = performance.now();
    process.stderr.write(`${((saidMs - startedMs) / 1_000).toFixed(0).padStart(4)} s  ${line}\n`);
  };
  const timer = setInterval(() => {
    if (performance.now() - saidMs >= SILENCE_MS) write(`… ${last}`);
  }, 100);
  return {
    say(line) {
      if (isInterrupted) throw new Error("interrupted");
      last = line;
      write(line);
    },
    stop: () => clearInterval(timer),
  };
}
