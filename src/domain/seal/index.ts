export * from "./block";
export * from "./canonical";
export * from "./leaf";
export * from "./merkle";
export * from "./private-field";
export * from "./signing";
