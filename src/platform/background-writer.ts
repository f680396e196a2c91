/** Writes what has gathered, every so often and when asked, one writing at a time. */
export interface BackgroundWriter {
  /** Resolves when the writing that is under way, or a new one, has ended. */
  flush(): Promise<void>;
  /** Stops the timer and writes the rest. */
  close(): Promise<void>;
}

/**
 * Starts the timer, which does not keep the process alive.
 *
 * @param everyMs milliseconds between two writings
 * @param write writes all there is; deals with its own faults
 */
export function startBackgroundWriter(everyMs: number, write: () => Promise<void>): BackgroundWriter {
  let writing: Promise<void> | null = null;

  function flush(): Promise<void> {
    writing ??= write().finally(() => {
      writing = null;
    });
    return writing;
  }

  const timer = setInterval(() => void flush(), everyMs);
  timer.unref();
  return {
    flush,
    async close() {
      clearInterval(timer);
      // The first may have begun before the last piece was handed in.
      await flush();
      await flush();
    },
  };
}
