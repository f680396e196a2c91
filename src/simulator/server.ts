import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Clock, Fault, type Logger } from "../platform";
import { createSimulatorApp } from "./app";
import type { SimulatorSettings } from "./settings";

/** A simulator that is running. */
export interface Simulator {
  readonly url: string;
  stop(): Promise<void>;
}

/** Where a simulator listens. */
export interface SimulatorPlace {
  /** Interface; the loopback one keeps strangers out. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Address that payment pages are given out under; null: the interface and port. */
  readonly publicUrl: string | null;
}

/**
 * Starts a simulator of Finpay's side.
 *
 * @throws Fault `cannot_listen`
 */
export async function startSimulator(
  settings: SimulatorSettings,
  place: SimulatorPlace,
  deps: { readonly clock: Clock; readonly logger: Logger },
): Promise<Simulator> {
  let url = place.publicUrl ?? "";
  const app = createSimulatorApp({ ...deps, settings, publicUrl: () => url });
  const handle = app.callback();
  const server = createServer({ headersTimeout: 5_000, requestTimeout: 10_000, maxHeaderSize: 16_384 }, (req, res) => {
    void handle(req, res);
  });
  server.maxHeadersCount = 64;
  const port = await listen(server, place);
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

function listen(server: Server, { host, port }: SimulatorPlace): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      reject(
        new Fault("cannot_listen", `the simulator cannot listen on ${host}:${port}: ${error.message}`, {
          cause: error,
        }),
      );
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}
