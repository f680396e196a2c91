/** Where in a record something is wrong. `offset` counts characters from 0; null when the place is not one column. */
export interface WirePlace {
  readonly record: string;
  readonly field: string | null;
  readonly offset: number | null;
  /** Width that the layout expects at that place. */
  readonly width: number | null;
}

/**
 * A record that cannot be read or written. The message names record, field, offset and expected width, and never a
 * field's value: it is meant for logs.
 */
export class WireError extends Error {
  readonly record: string;
  readonly field: string | null;
  readonly offset: number | null;
  readonly width: number | null;

  constructor(
    place: WirePlace,
    readonly problem: string,
  ) {
    super(`${textOfPlace(place)}: ${problem}`);
    this.name = "WireError";
    this.record = place.record;
    this.field = place.field;
    this.offset = place.offset;
    this.width = place.width;
  }
}

function textOfPlace({ record, field, offset, width }: WirePlace): string {
  const parts = [record];
  if (field !== null) parts.push(`field ${field}`);
  if (offset !== null) parts.push(`offset ${offset}`);
  if (width !== null) parts.push(`width ${width}`);
  return parts.join(", ");
}

/** A layout, template or mapping that cannot be used; `problems` lists everything that is wrong with it, at once. */
export class LayoutFault extends Error {
  constructor(
    readonly what: string,
    readonly problems: readonly string[],
  ) {
    super(`${what} is not valid:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
    this.name = "LayoutFault";
  }
}
