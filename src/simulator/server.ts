import type { Clock, Logger } from "../platform";
import { createSimulatorApp } from "./app";
import { type Listening, type Place, serveAt } from "./listen";
import type { SimulatorSettings } from "./settings";

/**
 * Starts a simulator of Finpay's side.
 *
 * @throws Fault `cannot_listen`
 */
export function startSimulator(
  settings: SimulatorSettings,
  place: Place,
  deps: { readonly clock: Clock; readonly logger: Logger },
): Promise<Listening> {
  return serveAt("the simulator", place, (publicUrl) => createSimulatorApp({ ...deps, settings, publicUrl }));
}
