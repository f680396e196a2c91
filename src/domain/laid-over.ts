type Json = Readonly<Record<string, unknown>>;

/** The second object laid over the first, object by object; lists and plain values are replaced. */
export function laidOver(base: Json, over: Json): Json {
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(over)) {
    const under = Object.hasOwn(base, name) ? base[name] : undefined;
    merged[name] = isObject(under) && isObject(value) ? laidOver(under, value) : value;
  }
  return merged;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
