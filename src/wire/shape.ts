/** What a property of a piece of data must be, in words, and the test for it. */
export interface Rule {
  readonly must: string;
  readonly isMet: (value: unknown) => boolean;
  readonly isOptional?: true;
}

/** Rules by property name; a property that is not listed is a fault, so that a misspelt one is noticed. */
export type Shape = Readonly<Record<string, Rule>>;

/** The same rule for a property that may be left out. */
export function optional(rule: Rule): Rule {
  return { ...rule, isOptional: true };
}

/** One of a few strings. */
export function oneOf(...choices: readonly string[]): Rule {
  return {
    must: `must be ${choices.map((choice) => JSON.stringify(choice)).join(" or ")}`,
    isMet: (value) => typeof value === "string" && choices.includes(value),
  };
}

/** A whole number in a range, both ends allowed. */
export function wholeNumber(from: number, to: number): Rule {
  return {
    must: `must be a whole number from ${from} to ${to}`,
    isMet: (value) => typeof value === "number" && Number.isInteger(value) && value >= from && value <= to,
  };
}

/** Any text, the empty one too. */
export const ANY_TEXT: Rule = { must: "must be text", isMet: (value) => typeof value === "string" };
/** A list of anything; its members are checked by whoever knows them. */
export const LIST: Rule = { must: "must be a list", isMet: Array.isArray };
/** A mark: true, or left out. */
export const TRUE_IF_GIVEN: Rule = {
  must: "must be true or left out",
  isMet: (value) => value === true,
  isOptional: true,
};
/** One character that a record can hold. */
export const ONE_CHARACTER: Rule = {
  must: "must be one printable ASCII character",
  isMet: (value) => typeof value === "string" && /^[ -~]$/.test(value),
};
/** Names never collide with what every object has, and never look like an index: JavaScript would reorder those. */
export const NAME: Rule = {
  must: "must be a letter and then up to 39 letters or digits, and no word that every object carries",
  isMet: (value) =>
    typeof value === "string" && /^[A-Za-z][A-Za-z0-9]{0,39}$/.test(value) && !(value in {}) && value !== "prototype",
};

/** Whether something is an object with properties, not a list and not null. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Everything in which an object differs from a shape, each line beginning with `where`. */
export function faultsOfShape(where: string, value: Readonly<Record<string, unknown>>, shape: Shape): string[] {
  const faults: string[] = [];
  for (const [property, rule] of Object.entries(shape)) {
    const given = value[property];
    if (given === undefined && rule.isOptional) continue;
    if (!rule.isMet(given)) faults.push(`${where}: ${property} ${rule.must}`);
  }
  for (const property of Object.keys(value)) {
    if (!Object.hasOwn(shape, property)) faults.push(`${where}: ${property.slice(0, 40)} is not a property known here`);
  }
  return faults;
}
