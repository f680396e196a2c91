/**
 * Points on the way of an event out of the outbox where it is interesting that a process is killed, stands still or fails.
 * Tests do that; in a running host nothing happens at them.
 */
export type DeliveryPoint =
  /** Claimed; nothing is sent yet. */
  | "delivering"
  /** The attempt is over, and the merchant has what it got; nothing is marked. */
  | "delivered";
