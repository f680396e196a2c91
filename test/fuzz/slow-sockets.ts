import { connect, type Socket } from "node:net";

/** How a slow client keeps a connection without ever sending a whole request. */
export const SLOW_KINDS = ["silent", "header bytes", "half a body", "body bytes"] as const;
export type SlowKind = (typeof SLOW_KINDS)[number];

/** What the server did with the connections of one kind. Times in milliseconds. */
export interface SlowResult {
  readonly kind: SlowKind;
  readonly opened: number;
  readonly closedByServer: number;
  /** Could not be connected at all. */
  readonly refused: number;
  /** Longest life of a connection: of those that the server closed, and of those that were still open at the end. */
  readonly longestMs: number;
}

const HEAD = "POST /finpay/billing HTTP/1.1\r\nHost: slow\r\nContent-Type: application/json\r\n";

/** What is sent at once, and then bit by bit. */
const SENDS: Readonly<Record<SlowKind, readonly [first: string, everySecond: string]>> = {
  silent: ["", ""],
  "header bytes": ["P", `${HEAD.slice(1)}X-Long: ${"x".repeat(10_000)}`],
  "half a body": [`${HEAD}Content-Length: 400\r\n\r\n${'{"userName":"'.padEnd(200, "x")}`, ""],
  "body bytes": [`${HEAD}Content-Length: 400\r\n\r\n{`, "x".repeat(399)],
};

/**
 * Opens `count` slow connections, all kinds alike, and keeps them open for `forMs` or until the server closes them. Opens
 * at most `perSecond` in a second. With `isStubborn` each that was closed is opened again, so the server never gets rid
 * of them.
 */
export async function holdSlowSockets(options: {
  readonly port: number;
  readonly count: number;
  readonly forMs: number;
  readonly perSecond: number;
  readonly isStubborn?: boolean;
  readonly onOpen?: (open: number) => void;
}): Promise<readonly SlowResult[]> {
  const { port, count, forMs, perSecond } = options;
  const tallies = SLOW_KINDS.map((kind) => ({ kind, opened: 0, closedByServer: 0, refused: 0, longestMs: 0 }));
  const live = new Map<Socket, { readonly slot: number; readonly sinceMs: number; sent: number }>();
  const free = Array.from({ length: count }, (_, slot) => slot);
  let isOver = false;

  const open = (slot: number): void => {
    const tally = tallies[slot % tallies.length] as (typeof tallies)[number];
    const [first] = SENDS[tally.kind];
    let sinceMs: number | null = null;
    const socket = connect(port, "127.0.0.1", () => {
      sinceMs = performance.now();
      tally.opened += 1;
      live.set(socket, { slot, sinceMs, sent: 0 });
      if (first !== "") socket.write(first);
    });
    socket.on("error", () => {});
    // What the server says is taken off the wire, so that it can close.
    socket.resume();
    socket.on("close", () => {
      live.delete(socket);
      if (isOver) return;
      if (sinceMs === null) tally.refused += 1;
      else {
        tally.closedByServer += 1;
        tally.longestMs = Math.max(tally.longestMs, performance.now() - sinceMs);
      }
      if (options.isStubborn === true) free.push(slot);
    });
  };

  const opener = setInterval(() => {
    for (const slot of free.splice(0, Math.ceil(perSecond / 20))) open(slot);
  }, 50);
  const dripper = setInterval(() => {
    options.onOpen?.(live.size);
    for (const [socket, state] of live) {
      const [, drip] = SENDS[(tallies[state.slot % tallies.length] as (typeof tallies)[number]).kind];
      if (state.sent < drip.length && socket.writable) socket.write(drip[state.sent++] as string);
    }
  }, 1_000);
  await new Promise((resolve) => setTimeout(resolve, forMs));
  isOver = true;
  clearInterval(opener);
  clearInterval(dripper);
  const nowMs = performance.now();
  for (const [socket, { slot, sinceMs }] of live) {
    const tally = tallies[slot % tallies.length] as (typeof tallies)[number];
    tally.longestMs = Math.max(tally.longestMs, nowMs - sinceMs);
    socket.destroy();
  }
  return tallies;
}

/**
 * The longest a connection of each kind may live, milliseconds: the server's limit for headers (5 s) or for a whole
 * request (10 s), a second until it looks again, and two for a machine that is busy.
 */
export const LIFE_MAX_MS: Readonly<Record<SlowKind, number>> = {
  silent: 8_000,
  "header bytes": 8_000,
  "half a body": 13_000,
  "body bytes": 13_000,
};
