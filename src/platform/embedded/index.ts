export { DataDirInUse, type DataDirLock, holderOfDataDir, lockDataDir } from "./data-dir-lock";
export { freePort } from "./free-port";
export { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from "./postgres";
export { type EmbeddedRedis, locateRedis, startEmbeddedRedis } from "./redis";
