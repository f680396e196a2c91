/** An error as the driver hands it over when the server refused something. */
export class SqlError extends Error {
  readonly severity = "ERROR";

  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}
