/** Resolves when this process is to end: a signal, or the process that started it with a channel to it is gone. */
export function untilStopped(): Promise<string> {
  return new Promise((resolve) => {
    // Not once: a second signal while things are being put away must not end the process halfway.
    process.on("SIGTERM", () => resolve("SIGTERM"));
    process.on("SIGINT", () => resolve("interrupted"));
    process.once("disconnect", () => resolve("whoever started this process is gone"));
  });
}
