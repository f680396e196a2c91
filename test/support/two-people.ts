import { openHandDesk } from "../../src/flows";
import {
  type Actor,
  type Approved,
  approveProposal,
  decideProposal,
  listQueue,
  proposeForItem,
  type ProposalRequest,
  type QueueFilter,
  type QueueItem,
  settleMatched,
  type SettledFile,
  WHOLE_QUEUE,
} from "../../src/ops";
import { type Db, randomIds, systemClock } from "../../src/platform";
import { catalogOf, transact } from "./builders";
import type { TestDatabase } from "./services";

export const ANI: Actor = { name: "ani", via: "test" };
export const BUDI: Actor = { name: "budi", via: "test" };
export const TODAY = "2026-11-21";

/** What two people do to a test database. */
export interface TwoPeople {
  queue(filter?: Partial<QueueFilter>): Promise<QueueItem[]>;
  propose(itemId: string, request: Partial<ProposalRequest>, actor?: Actor): Promise<string>;
  approve(proposalId: string, actor?: Actor): Promise<Approved>;
  refuse(proposalId: string, actor?: Actor): Promise<void>;
  /** Proposed by one, approved by the other. */
  resolve(itemId: string, request: Partial<ProposalRequest>): Promise<Approved>;
  settle(profileCode: string, settlementDate: string): Promise<SettledFile[]>;
}

/** Ani proposes, Budi decides. */
export async function twoPeople(database: TestDatabase, db: Db): Promise<TwoPeople> {
  const catalog = await catalogOf(db);
  const tools = { clock: systemClock, ids: randomIds };
  const deps = { db, byHand: openHandDesk({ catalog, ...tools }), ...tools, today: () => TODAY };
  const people: TwoPeople = {
    queue: (filter = {}) => transact(db, (tx) => listQueue(tx, { ...WHOLE_QUEUE, limit: 10_000, ...filter })),
    propose: (itemId, request, actor = ANI) =>
      transact(db, async (tx) => {
        const whole = { action: "accept", account: null, target: null, reason: "for a test", ...request } as const;
        return (await proposeForItem(tx, actor, itemId, whole)).proposalId;
      }),
    approve: (proposalId, actor = BUDI) => approveProposal(deps, actor, proposalId, null),
    refuse: (proposalId, actor = BUDI) =>
      transact(db, async (tx) => void (await decideProposal(tx, actor, proposalId, "refused", "no"))),
    resolve: async (itemId, request) => people.approve(await people.propose(itemId, request)),
    settle: (profileCode, settlementDate) =>
      settleMatched({ databaseUrl: database.appUrl, profileCode, settlementDate, actor: ANI, ...tools, today: TODAY }),
  };
  return people;
}
