import { type Config, configFromProcess } from "../platform";
import { openServices, type Services } from "../services";
import { say } from "./output";

/**
 * Runs a command with the databases it needs: those of the settings, those of a running `serve` in this directory, or
 * embedded ones started for the length of the command.
 */
export async function withServices<T>(work: (services: Services, config: Config) => Promise<T>): Promise<T> {
  const config = configFromProcess();
  const services = await openServices({ config, log: say, onLost: say, mayShare: true });
  try {
    return await work(services, config);
  } finally {
    await services.stop();
  }
}
