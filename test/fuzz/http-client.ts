import { connect, type Socket } from "node:net";

/** One HTTP answer as it came over a socket. */
export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What one sending led to. */
export interface Exchange {
  readonly answers: readonly Answer[];
  /** What came after the last whole answer. */
  readonly rest: string;
  readonly isClosed: boolean;
  readonly isLate: boolean;
}

/** Bytes over one TCP connection, exactly as given; `fetch` would repair or refuse most of what is sent here. */
export class RawConnection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #isClosed = false;
  #onChange: () => void = () => {};

  constructor(port: number) {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.setNoDelay(true);
    this.#socket.on("error", () => {});
    this.#socket.on("data", (chunk: Buffer) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      this.#onChange();
    });
    this.#socket.on("close", () => {
      this.#isClosed = true;
      this.#onChange();
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Sends the pieces one after the other and waits for `count` answers, the connection's end, or the time limit.
   *
   * @param options.noBody the request was a HEAD: its answer announces a length and brings nothing
   */
  async exchange(
    pieces: readonly (string | Buffer)[],
    { count, timeoutMs, noBody = false }: { count: number; timeoutMs: number; noBody?: boolean },
  ): Promise<Exchange> {
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) await new Promise((resolve) => setImmediate(resolve));
      if (!this.#isClosed && this.#socket.writable) this.#socket.write(piece);
    }
    const answers: Answer[] = [];
    const giveUpAtMs = performance.now() + timeoutMs;
    for (;;) {
      for (let found = this.#take(noBody); found !== null; found = this.#take(noBody)) answers.push(found);
      const leftMs = giveUpAtMs - performance.now();
      if (answers.length >= count || this.#isClosed || leftMs <= 0) {
        const isLate = answers.length < count && !this.#isClosed;
        return { answers, rest: this.#received.toString("latin1"), isClosed: this.#isClosed, isLate };
      }
      await this.#change(leftMs);
    }
  }

  /** Says that nothing more will be sent, and waits until the other side closes as well. */
  async end(timeoutMs: number): Promise<boolean> {
    this.#socket.end();
    const giveUpAtMs = performance.now() + timeoutMs;
    while (!this.#isClosed && performance.now() < giveUpAtMs) await this.#change(giveUpAtMs - performance.now());
    const isClosed = this.#isClosed;
    this.destroy();
    return isClosed;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #change(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#onChange = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** The next whole answer, or null when it has not arrived. */
  #take(noBody: boolean): Answer | null {
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd === -1) return null;
    const [statusLine = "", ...lines] = this.#received.toString("latin1", 0, headEnd).split("\r\n");
    const status = Number(/^HTTP\/1\.1 ([1-5][0-9]{2})(?: |$)/.exec(statusLine)?.[1] ?? Number.NaN);
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
    );
    const bodyStart = headEnd + 4;
    const isBare = noBody || status < 200 || status === 204 || status === 304;
    const isChunked = !isBare && headers["transfer-encoding"] === "chunked";
    const length = isBare ? 0 : isChunked ? this.#chunkedLength(bodyStart) : Number(headers["content-length"] ?? 0);
    if (length === null || this.#received.length < bodyStart + length) return null;
    const raw = this.#received.toString("utf8", bodyStart, bodyStart + length);
    const body = isChunked ? raw.replace(/[0-9a-f]+\r\n([\s\S]*?)\r\n/gi, "$1") : raw;
    this.#received = this.#received.subarray(bodyStart + length);
    // An interim answer is not what anybody waits for.
    return status === 100 ? this.#take(noBody) : { status, headers, body };
  }

  /** Bytes of a chunked body that begins there, or null when it has not ended; Node sends no trailers of its own. */
  #chunkedLength(start: number): number | null {
    if (this.#received.toString("latin1", start, start + 5) === "0\r\n\r\n") return 5;
    const end = this.#received.indexOf("\r\n0\r\n\r\n", start);
    return end === -1 ? null : end + 7 - start;
  }
}
