export { type AppDeps, createApp, createHttpServer, drainServer } from "./app";
export type { ReadinessCheck } from "./routes/health";
