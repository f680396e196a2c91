/** What differs between two pieces of JSON, a line for each place: `rules.feeAmount: "5000" becomes "2500"`. */
export function changesBetween(before: unknown, after: unknown): string[] {
  const [old, young] = [placesOf(before), placesOf(after)];
  const gone = [...old].filter(([path]) => !young.has(path)).map(([path, text]) => `${path}: ${text} goes`);
  const come = [...young].flatMap(([path, text]) => {
    const earlier = old.get(path);
    if (earlier === undefined) return [`${path}: ${text} comes`];
    return earlier === text ? [] : [`${path}: ${earlier} becomes ${text}`];
  });
  return [...gone, ...come];
}

/** Every leaf by its path. Things with a name stand under their name, so that one more column does not move all others. */
function placesOf(value: unknown): Map<string, string> {
  const places = new Map<string, string>();
  const walk = (path: string, each: unknown): void => {
    if (Array.isArray(each)) {
      const names = each.map((member) => (member as { name?: unknown } | null)?.name);
      const isNamed = names.every((name) => typeof name === "string") && new Set(names).size === names.length;
      if (isNamed && each.length > 0) places.set(path, `the order ${names.join(", ")}`);
      for (const [index, member] of each.entries()) walk(`${path}[${isNamed ? String(names[index]) : index}]`, member);
      if (each.length === 0) places.set(path, "[]");
    } else if (typeof each === "object" && each !== null) {
      const entries = Object.entries(each);
      for (const [name, member] of entries) walk(path === "" ? name : `${path}.${name}`, member);
      if (entries.length === 0) places.set(path, "{}");
    } else places.set(path, JSON.stringify(each));
  };
  walk("", value);
  return places;
}
