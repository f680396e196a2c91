import type { Dialect } from "./dialect";

/** A counterparty that holds credentials with us; normally the switch. */
export interface Partner {
  readonly partnerId: number;
  readonly userName: string;
  readonly name: string;
  readonly productCodes: readonly string[];
  readonly dialect: Dialect;
}
