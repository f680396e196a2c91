import {
  DatabaseUnavailable,
  type Db,
  type Deadline,
  type Session,
  type Statement,
  transact,
  type Tx,
  within,
} from "../../src/platform";
import type { Delays, FaultKind, Faults } from "./faults";
import type { Owner, Scheduler, Step } from "./scheduler";
import { SqlError } from "./sql-error";
import type { Row, Running, Store, Transaction } from "./store";

/** Times in milliseconds, as the product sets them (see `compose.ts`). */
const STATEMENT_TIMEOUT_MS = 7_000;
const LOCK_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 2_000;

/** What the server and all sessions live in. */
export interface Surroundings {
  readonly scheduler: Scheduler;
  readonly store: Store;
  readonly faults: Faults;
  readonly delays: Delays;
}

interface Message {
  readonly kind: "begin" | "statement" | "commit" | "rollback" | "terminate";
  readonly name: string;
  readonly values: readonly unknown[];
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

interface Reply {
  readonly tag: string;
  readonly rows: Row[];
  readonly warning: string | null;
}

/** SQLSTATEs that say nothing about the items, and some that nobody expects. */
const REFUSALS = ["40P01", "40001", "40001", "53300", "55P03", "57014", "XX000"] as const;

/** One connection with the server process at its other end. */
class ModelSession {
  readonly #world: Surroundings;
  readonly #inbox: Message[] = [];
  #tx: Transaction | null = null;
  #isFailed = false;
  #isBusy = false;
  /** The server's side: it may outlive the client's by long. */
  isOpen = true;
  /** The client's side. */
  #isCut = false;
  #lastArrivalMs = 0;
  #lastReplyMs = 0;
  /** Messages on their way to the server, and how many of them still get there. */
  #underWay = 0;
  #stillArrive = Number.POSITIVE_INFINITY;
  #awaited = new Set<Message>();

  constructor(
    world: Surroundings,
    readonly owner: Owner,
    readonly name: string,
  ) {
    this.#world = world;
  }

  /** Sends a message without waiting for the answers to earlier ones. */
  send(kind: Message["kind"], name: string, values: readonly unknown[] = []): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const message = { kind, name, values, resolve, reject };
      // A dead process sends nothing, and waits for ever.
      if (!this.owner.isAlive) return;
      if (this.#isCut) return reject(new Error("Client has encountered a connection error and is not queryable"));
      this.#awaited.add(message);
      const { faults } = this.#world;
      if (kind === "commit" && faults.strikes("COMMIT lost on its way")) return this.#lose(false);
      if (kind === "statement" && faults.strikes("connection lost, statement not run")) return this.#lose(false);
      this.#post(message);
    });
  }

  /** The client closes its socket: what is under way may arrive or not, and the server hears of the end at some time. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    // Nothing is under way and nothing open: the end of a connection changes nothing.
    if (this.#underWay === 0 && !this.#isBusy && (this.#tx === null || this.#tx.isOver)) {
      this.isOpen = false;
      return;
    }
    const { chance } = this.#world.scheduler;
    this.#stillArrive = chance.below(this.#underWay + 1);
    const isLate = this.#strikes("server hears late of a lost client");
    const noticedAfterMs = chance.below(isLate ? 6_000 : 20);
    const end = { kind: "terminate", name: "terminate", values: [], resolve: () => {}, reject: () => {} } as const;
    const delayMs = Math.max(noticedAfterMs, this.#lastArrivalMs - this.#world.scheduler.nowMs);
    const hear = (): void => {
      this.#inbox.push(end);
      this.#pump();
    };
    this.#world.scheduler.after(delayMs, null, "server hears of the end of", hear, this.name);
  }

  /** The server ends the session at once: killed, or restarted. */
  kill(): void {
    if (!this.isOpen) return;
    this.#close();
    this.#lose(true);
  }

  #post(message: Message): void {
    const { scheduler, delays } = this.#world;
    this.#underWay += 1;
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs + 0.001, scheduler.nowMs + delays.next());
    const arrive = (): void => {
      this.#underWay -= 1;
      if (this.#isCut && this.#stillArrive <= 0) return;
      this.#stillArrive -= 1;
      scheduler.note(`${this.name} server gets ${message.name}`);
      this.#inbox.push(message);
      this.#pump();
    };
    scheduler.after(this.#lastArrivalMs - scheduler.nowMs, null, "arrival at", arrive, this.name);
  }

  /** The network drops the connection; the client is told soon, the server when it is told. */
  #lose(isServerGone: boolean): void {
    const { scheduler, delays } = this.#world;
    if (!isServerGone) this.cut();
    this.#isCut = true;
    const tell = (): void => {
      for (const message of this.#awaited) message.reject(new Error("Connection terminated unexpectedly"));
      this.#awaited.clear();
    };
    scheduler.after(delays.next(), this.owner, "connection lost", tell, this.name);
  }

  #pump(): void {
    if (this.#isBusy || !this.isOpen) return;
    const message = this.#inbox.shift();
    if (message === undefined) return;
    this.#isBusy = true;
    switch (message.kind) {
      case "begin":
        this.#tx = this.#world.store.begin(this.name);
        return this.#done(message, { tag: "BEGIN" });
      case "rollback":
        this.#abort();
        this.#tx = null;
        this.#isFailed = false;
        return this.#done(message, { tag: "ROLLBACK" });
      case "terminate":
        return this.#close();
      case "commit":
        return this.#commit(message);
      case "statement":
        return this.#statement(message);
    }
  }

  #done(message: Message, reply: Partial<Reply> & { tag: string }): void {
    this.#answer(message, () => message.resolve({ rows: [], warning: null, ...reply }));
  }

  #fail(message: Message, error: SqlError): void {
    this.#abort();
    this.#isFailed = true;
    this.#answer(message, () => message.reject(error));
  }

  #answer(message: Message, deliver: () => void): void {
    const { scheduler, delays } = this.#world;
    this.#isBusy = false;
    this.#lastReplyMs = Math.max(this.#lastReplyMs + 0.001, scheduler.nowMs + delays.next());
    if (!this.#isCut) {
      const hear = (): void => {
        if (this.#awaited.delete(message)) deliver();
      };
      scheduler.after(this.#lastReplyMs - scheduler.nowMs, this.owner, "gets the answer to", hear, message.name);
    }
    this.#pump();
  }

  #abort(): void {
    if (this.#tx !== null && !this.#tx.isOver) this.#world.store.abort(this.#tx);
  }

  #close(): void {
    this.#abort();
    this.isOpen = false;
  }

  #strikes(kind: FaultKind): boolean {
    return this.#world.faults.strikes(kind);
  }

  #statement(message: Message): void {
    const { scheduler, store } = this.#world;
    const { chance } = scheduler;
    const tx = this.#tx;
    if (tx === null) return this.#fail(message, new SqlError("25P01", "no transaction is in progress"));
    if (this.#isFailed) return this.#fail(message, new SqlError("25P02", "current transaction is aborted"));
    if (this.#strikes("server shut down a session")) {
      this.#close();
      return this.#answer(message, () => {
        this.#isCut = true;
        message.reject(new SqlError("57P01", "terminating connection due to administrator command"));
      });
    }
    if (this.#strikes("statement refused, not run")) {
      return this.#fail(message, new SqlError(chance.pick(REFUSALS), `${message.name} refused`));
    }
    const start = (): void => this.#run(message, tx, store.execute(tx, message.name, message.values));
    if (!this.#strikes("statement slow")) return start();
    const delayMs = chance.below(chance.pick([20, 500, 4_000]));
    const startLate = (): void => {
      if (this.isOpen) start();
    };
    scheduler.after(delayMs, null, "slow statement of", startLate, this.name);
  }

  /** Runs a statement until it is done, waiting where another transaction is in its way. */
  #run(message: Message, tx: Transaction, running: Running): void {
    const { scheduler, store } = this.#world;
    const timers: Step[] = [];
    let isOver = false;
    const finish = (act: () => void): void => {
      if (isOver) return;
      isOver = true;
      tx.waitsFor = null;
      tx.breakDeadlock = null;
      for (const timer of timers) timer.run = null;
      if (this.isOpen) act();
    };
    const stop = (code: string, text: string): void => finish(() => this.#fail(message, new SqlError(code, text)));
    const go = (): void => {
      if (isOver || !this.isOpen) return;
      tx.waitsFor = null;
      let next: IteratorResult<Transaction | null, Row[]>;
      try {
        next = running.next();
      } catch (error) {
        if (!(error instanceof SqlError)) throw error;
        store.refused.push(error.message);
        return finish(() => this.#fail(message, error));
      }
      if (next.done === true) return finish(() => this.#ran(message, next.value));
      const again = (): void => {
        scheduler.after(scheduler.chance.below(100) / 100, null, "statement goes on:", go, this.name);
      };
      if (next.value === null) return again();
      if (timers.length === 0) {
        timers.push(
          scheduler.after(LOCK_TIMEOUT_MS, null, "lock timeout", () => {
            if (tx.waitsFor !== null) stop("55P03", "canceling statement due to lock timeout");
          }),
          scheduler.after(STATEMENT_TIMEOUT_MS, null, "statement timeout", () =>
            stop("57014", "canceling statement due to statement timeout"),
          ),
        );
      }
      scheduler.note(`${this.name} ${message.name} waits for ${next.value.name}`);
      tx.waitsFor = next.value;
      tx.breakDeadlock = () => stop("40P01", "deadlock detected");
      next.value.waiters.push(again);
      breakCircle(tx, scheduler, store);
    };
    go();
  }

  #ran(message: Message, rows: Row[]): void {
    if (this.#strikes("statement refused, after it ran")) {
      return this.#fail(message, new SqlError(this.#world.scheduler.chance.pick(REFUSALS), `${message.name} refused`));
    }
    if (this.#strikes("connection lost, statement ran")) {
      this.#isBusy = false;
      this.#lose(false);
      return this.#pump();
    }
    this.#done(message, { tag: "OK", rows });
  }

  #commit(message: Message): void {
    const { scheduler, store } = this.#world;
    const { chance } = scheduler;
    const tx = this.#tx;
    if (tx === null || tx.isOver || this.#isFailed || this.#strikes("COMMIT answered with ROLLBACK")) {
      this.#abort();
      return this.#done(message, { tag: "ROLLBACK" });
    }
    if (this.#strikes("COMMIT refused"))
      return this.#fail(message, new SqlError("40001", "could not serialize access"));
    const commit = (): void => {
      if (!this.isOpen) return;
      store.commit(tx);
      scheduler.note(`${this.name} committed`);
    };
    if (this.#strikes("COMMIT done late")) {
      const delayMs = chance.below(chance.pick([50, 2_000, 9_000]));
      if (chance.oneIn(2)) this.#lose(false);
      const commitLate = (): void => {
        if (!this.isOpen) return;
        commit();
        this.#done(message, { tag: "COMMIT" });
      };
      scheduler.after(delayMs, null, "COMMIT at last:", commitLate, this.name);
      return;
    }
    if (this.#strikes("COMMIT ended by a shutdown")) {
      if (chance.oneIn(2)) commit();
      this.#close();
      return this.#answer(message, () => {
        this.#isCut = true;
        message.reject(new SqlError("57P01", "terminating connection due to administrator command"));
      });
    }
    commit();
    if (this.#strikes("COMMIT done, answer lost")) {
      this.#isBusy = false;
      this.#lose(false);
      return this.#pump();
    }
    const warning = this.#strikes("COMMIT with a warning") ? "canceling wait for synchronous replication" : null;
    this.#done(message, { tag: "COMMIT", warning });
  }
}

/** Finds out whether a new wait closes a circle, and ends the wait of one in it. */
function breakCircle(start: Transaction, scheduler: Scheduler, store: Store): void {
  const circle: Transaction[] = [start];
  for (let at = start.waitsFor; at !== null && at !== start; at = at.waitsFor) {
    if (at.isOver || circle.includes(at)) return;
    circle.push(at);
  }
  if (circle.at(-1)?.waitsFor !== start) return;
  store.deadlocks += 1;
  const victim = scheduler.chance.pick(circle);
  scheduler.after(1, null, "deadlock, the victim is", () => victim.breakDeadlock?.(), victim.name);
}

/** A server that all hosts share. */
export class Server {
  readonly #sessions = new Set<ModelSession>();
  #count = 0;

  constructor(readonly world: Surroundings) {}

  connect(owner: Owner): ModelSession {
    this.#count += 1;
    const session = new ModelSession(this.world, owner, `${owner.name}#${this.#count}`);
    this.#sessions.add(session);
    return session;
  }

  /** Every process at the other end of this owner's connections hears of its end, sooner or later. */
  hangUp(owner: Owner): void {
    for (const session of this.#sessions) if (session.owner === owner) session.cut();
  }

  /** Forgets what is closed. */
  restart(): void {
    for (const session of this.#sessions) session.kill();
    this.#sessions.clear();
  }

  get openSessions(): number {
    return [...this.#sessions].filter((session) => session.isOpen).length;
  }
}

/** The database as one life of a host sees it: the same promises as `openDb`, over the model's server. */
export function connectTo(server: Server, owner: Owner, poolMax: number): Db & { readonly lent: () => number } {
  const { scheduler, faults, delays } = server.world;
  const waiting: (() => void)[] = [];
  let lent = 0;

  function acquire(): Promise<ModelSession> {
    return new Promise((resolve, reject) => {
      const refused = faults.strikes("connection refused");
      const isFull = faults.strikes("too many connections");
      let timer: Step | null = null;
      const start = (): void => {
        if (timer !== null) timer.run = null;
        lent += 1;
        scheduler.after(delays.next(), owner, "connection", () => {
          if (!refused && !isFull) return resolve(server.connect(owner));
          release();
          reject(new DatabaseUnavailable(refused ? "connection refused" : "sorry, too many clients already"));
        });
      };
      if (lent < poolMax) return start();
      waiting.push(start);
      timer = scheduler.after(CONNECT_TIMEOUT_MS, owner, "connect timeout", () => {
        waiting.splice(waiting.indexOf(start), 1);
        reject(new DatabaseUnavailable("no database connection: timeout"));
      });
    });
  }

  function release(): void {
    lent -= 1;
    waiting.shift()?.();
  }

  async function withTransaction<T>(deadline: Deadline, work: (tx: Tx) => Promise<T>): Promise<T> {
    const pending = acquire();
    let session: ModelSession;
    try {
      session = await within(deadline, "waiting for a database connection", pending);
    } catch (error) {
      pending.then(
        (late) => {
          late.cut();
          release();
        },
        () => {},
      );
      throw error;
    }
    try {
      return await transact(sessionOf(session), deadline, work);
    } finally {
      // Each transaction has a connection of its own here, so that none can be in doubt when it is used again.
      session.cut();
      release();
    }
  }

  return {
    withTransaction,
    lent: () => lent,
    run: () => Promise.reject(new Error("the posting path runs nothing outside transactions")),
    close: () => Promise.resolve(),
    get knex(): never {
      throw new Error("the posting path does not use knex");
    },
  };
}

/** A modelled session under the product's own transactions. */
function sessionOf(session: ModelSession): Session {
  return {
    control: (word) => session.send(word, word),
    run: async <R extends object>({ name }: Statement, values: readonly unknown[]) =>
      (await session.send("statement", name, values)).rows as R[],
    // Each transaction has a connection of its own here.
    discard: () => {},
  };
}
