import { fork } from "node:child_process";
import { join } from "node:path";
import type { FromLoader, LoaderJob, LoaderResult, ToLoader } from "./loader-job";

/** The loader as seen from the bench. */
export interface Loader {
  readonly pid: number;
  /** Makes the requests. */
  prepare(job: LoaderJob): Promise<void>;
  /** Sends them. */
  go(): Promise<LoaderResult>;
  stop(): void;
}

const ANSWER_TIMEOUT_MS = 180_000;

/** Starts the loader's process. */
export async function startLoader(): Promise<Loader> {
  const child = fork(join(__dirname, "loader.ts"), { execArgv: ["--import", "tsx"], serialization: "advanced" });
  process.once("exit", () => child.kill("SIGKILL"));
  function next<Kind extends FromLoader["did"]>(kind: Kind): Promise<Extract<FromLoader, { did: Kind }>> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(new Error(`the loader did not ${kind}`)), ANSWER_TIMEOUT_MS);
      const settle = (error: Error): void => {
        clear();
        reject(error);
      };
      const onExit = (): void => settle(new Error("the loader ended"));
      const onMessage = (message: unknown): void => {
        const said = message as FromLoader;
        if (said.did === "fail") settle(new Error(`loader: ${said.reason}`));
        else if (said.did === kind) {
          clear();
          resolve(said as Extract<FromLoader, { did: Kind }>);
        }
      };
      const clear = (): void => {
        clearTimeout(timer);
        child.off("message", onMessage);
        child.off("exit", onExit);
      };
      child.on("message", onMessage);
      child.on("exit", onExit);
    });
  }
  const ask = (message: ToLoader): void => void child.send(message);
  await next("start");
  return {
    pid: child.pid as number,
    async prepare(job) {
      const done = next("prepare");
      ask({ do: "prepare", job });
      await done;
    },
    async go() {
      const done = next("go");
      ask({ do: "go" });
      return (await done).result;
    },
    stop: () => child.disconnect(),
  };
}
