export { type AppDeps, createApp, createHttpServer, type HttpServer } from "./app";
export type { ReadinessCheck } from "./routes/health";
