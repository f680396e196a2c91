import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type Koa from "koa";
import { Fault } from "../platform";

/** A process of the simulation that is listening. */
export interface Listening {
  /** Without a slash at its end. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Where one listens. */
export interface Place {
  /** Interface; the loopback one keeps strangers out. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Address that it is known under; null: the interface and port. */
  readonly publicUrl: string | null;
}

/**
 * Serves an application, with limits of time and size for its callers.
 *
 * @param who names it in the fault
 * @param make makes the application; it may ask for its own address once it listens
 * @throws Fault `cannot_listen`
 */
export async function serveAt(who: string, place: Place, make: (url: () => string) => Koa): Promise<Listening> {
  let url = place.publicUrl ?? "";
  const handle = make(() => url).callback();
  const server = createServer({ headersTimeout: 5_000, requestTimeout: 10_000, maxHeaderSize: 16_384 }, (req, res) => {
    void handle(req, res);
  });
  server.maxHeadersCount = 64;
  const port = await listen(server, who, place);
  if (place.publicUrl === null) url = `http://${place.host}:${port}`;
  return {
    url,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, who: string, { host, port }: Place): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      reject(new Fault("cannot_listen", `${who} cannot listen on ${host}:${port}: ${error.message}`, { cause: error }));
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}
