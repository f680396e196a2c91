import {
  openPaymentDesk,
  openReversalDesk,
  type PaymentDesk,
  type PaymentItem,
  type ReversalDesk,
} from "../../src/flows";
import { type Clock, deadlineIn, type IdSource, type KeyLock, noKeyLock } from "../../src/platform";
import { Chance } from "../fuzz/random";
import { History, type Sent } from "./history";
import { checkLaws } from "./laws";
import { connectTo, Server } from "./database";
import { Counts, Delays, Faults } from "./faults";
import { LockService } from "./lock-service";
import { makeScenario, type Planned, type Scenario } from "./scenario";
import { type Owner, Scheduler, takeGlobals } from "./scheduler";
import { type BrokenGuarantee, Store } from "./store";

/** What one seed came to. */
export interface Outcome {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly counts: Counts;
  readonly faults: Counts;
  readonly digest: number;
}

/** How a seed is run. */
export interface RunOptions {
  readonly trace?: (line: string) => void;
  readonly broken?: BrokenGuarantee;
}

/** What one life of a host is made of. */
class Life implements Owner {
  isAlive = true;
  pausedUntilMs = 0;
  stepsLeft = Number.POSITIVE_INFINITY;
  payments!: PaymentDesk;
  reversals!: ReversalDesk;
  readonly inFlight = new Set<string>();
  lent: () => number = () => 0;

  constructor(readonly name: string) {}
}

interface HostPlan {
  readonly skewMs: number;
  readonly poolMax: number;
  readonly limits: { readonly batchMax: number; readonly batchesInFlight: number; readonly queueMax: number };
}

/** One run: hosts, a server, a lock service and a switch, from a seed. */
class Simulation {
  readonly chance: Chance;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly delays: Delays;
  readonly scenario: Scenario;
  readonly store: Store;
  readonly server: Server;
  readonly locks: LockService;
  readonly history: History;
  readonly counts = new Counts();
  readonly plans: HostPlan[];
  readonly lives: Life[] = [];
  #entries = 0;
  #sysCodes = 0;
  #crashesLeft: number;
  /** The hosts are configured without Redis. */
  readonly #isLockless: boolean;

  constructor(seed: number, { trace, broken }: RunOptions) {
    const chance = new Chance(seed);
    this.chance = chance;
    this.scheduler = new Scheduler(chance);
    this.scheduler.trace = trace ?? null;
    this.faults = new Faults(chance);
    this.delays = new Delays(chance);
    this.scenario = makeScenario(chance);
    const { bills, quotes, isCrowd } = this.scenario;
    this.store = new Store(bills, quotes, chance, chance.oneIn(2), chance.pick([0, 2, 2]), broken ?? null);
    const world = { scheduler: this.scheduler, store: this.store, faults: this.faults, delays: this.delays };
    this.server = new Server(world);
    this.locks = new LockService(this.scheduler, this.faults, this.delays);
    this.#crashesLeft = chance.between(1, 3);
    this.#isLockless = chance.oneIn(4);
    this.plans = Array.from({ length: isCrowd ? 2 : chance.between(1, 3) }, () => ({
      skewMs: chance.oneIn(5) ? chance.between(-2_000, 2_000) : 0,
      poolMax: chance.pick([1, 2, 4, 8]),
      limits: {
        batchMax: isCrowd ? 8 : chance.pick([1, 2, 8, 8]),
        batchesInFlight: chance.between(1, 3),
        queueMax: chance.oneIn(10) ? 1 : 100,
      },
    }));
    const isRoomy = this.plans.every(({ limits }) => limits.queueMax > 1);
    const isQuiet = this.faults.areNone && this.delays.areShort && isRoomy;
    this.history = new History(this.scheduler, this.store, isQuiet);
  }

  async run(): Promise<readonly string[]> {
    const { scheduler, scenario, store } = this;
    this.plans.forEach((_, index) => this.#start(index));
    scheduler.beforeStep = (owner) => this.#mayCrash(owner as Life);
    for (const planned of scenario.messages) this.#plan(planned, planned.atMs, planned.repeatsMax);
    for (const { atMs, billKey, isCancelled } of scenario.changes) {
      scheduler.after(atMs, null, `an operator changes ${billKey}`, () => {
        if (store.changeBill(billKey, { isCancelled })) this.counts.add("changes by operators");
      });
    }
    this.#planDisasters();
    if (!(await scheduler.runDry())) return ["the hosts never come to rest"];
    this.#heal();
    // Everything is well again: whatever was asked must now be answered for good, and then the same again.
    const asked = this.#askedOnce();
    for (let round = 0; round < 2; round += 1) {
      const isNarrow = this.plans.some(({ limits }) => limits.queueMax < asked.length);
      for (const [index, planned] of asked.entries()) {
        // All at once, unless a host takes only one at a time.
        const delayMs = isNarrow ? index * 400 : this.chance.below(40);
        this.#plan({ ...planned, deadlineMs: 8_000 }, delayMs, 0, true);
      }
      if (!(await scheduler.runDry())) return ["the hosts never come to rest after everything was healed"];
      scheduler.nowMs += 1_000;
    }
    return [...checkLaws(this), ...this.#leftovers()];
  }

  #planDisasters(): void {
    const { scheduler, faults, chance, scenario } = this;
    const within = scenario.spanMs + 100;
    if (faults.has("database restarted")) {
      scheduler.after(chance.below(within), null, "the database restarts", () => {
        faults.counts.add("database restarted");
        this.server.restart();
      });
    }
    if (faults.has("host stopped for a while")) {
      scheduler.after(chance.below(within), null, "a host stops for a while", () => {
        faults.counts.add("host stopped for a while");
        const life = chance.pick(this.lives);
        life.pausedUntilMs = scheduler.nowMs + chance.pick([20, 500, 4_000, 10_000]);
        this.history.stall(life, life.pausedUntilMs);
      });
    }
  }

  #start(index: number): void {
    const { scheduler, chance, faults } = this;
    const plan = this.plans[index] as HostPlan;
    const life = new Life(`host${index + 1}${this.lives[index] === undefined ? "" : "'"}`);
    this.lives[index] = life;
    if (faults.has("host crashed") && this.#crashesLeft > 0 && chance.oneIn(2)) {
      this.#crashesLeft -= 1;
      life.stepsLeft = chance.below(chance.pick([10, 40, 150]));
    }
    const clock = this.#clockOf(plan);
    const db = connectTo(this.server, life, plan.poolMax);
    life.lent = db.lent;
    const posting = {
      ...{ db, clock, ids: this.#ids(), lock: this.#lockOf(life, clock), limits: plan.limits, inFlight: life.inFlight },
      onFault: (fault: unknown, where: string) => {
        this.counts.add("faults told to operators");
        scheduler.note(`${life.name} says: ${where}: ${fault instanceof Error ? fault.message : String(fault)}`);
      },
      reach: (point: string) => {
        if (life.isAlive && this.#crashesLeft > 0 && faults.strikes("host crashed at a named point")) {
          this.#crash(life, `at ${point}`);
        }
      },
    };
    const onCommitUnknown = (): void => this.counts.add("batches left to the resolver");
    life.payments = openPaymentDesk({ ...posting, onCommitUnknown });
    life.reversals = openReversalDesk(posting);
  }

  #lockOf(life: Life, clock: Clock): KeyLock {
    return this.#isLockless ? noKeyLock : this.locks.connect(life, clock);
  }

  #clockOf({ skewMs }: HostPlan): Clock {
    const { scheduler, scenario } = this;
    const nowMs = (): number => scenario.epochMs + skewMs + Math.floor(scheduler.nowMs);
    return {
      nowMs,
      nowMicros: () => BigInt(nowMs()) * 1000n + BigInt(scheduler.steps % 1000),
      monotonicMs: () => scheduler.nowMs,
    };
  }

  #ids(): IdSource {
    return {
      entryId: () => `00000000-0000-7000-8000-${String((this.#entries += 1)).padStart(12, "0")}`,
      sysCode: () => String((this.#sysCodes += 1)).padStart(12, "0"),
    };
  }

  #mayCrash(life: Life): void {
    life.stepsLeft -= 1;
    if (life.stepsLeft > 0 || this.faults.isHealed) return;
    life.stepsLeft = Number.POSITIVE_INFINITY;
    this.faults.counts.add("host crashed");
    this.#crash(life, "between two steps");
  }

  #crash(life: Life, where: string): void {
    const { scheduler, chance } = this;
    this.#crashesLeft -= 1;
    this.counts.add("crashes");
    scheduler.note(`${life.name} crashes ${where}`);
    life.isAlive = false;
    this.server.hangUp(life);
    for (const sent of this.history.loseAll(life)) this.#repeat(sent);
    const index = this.lives.indexOf(life);
    scheduler.after(chance.pick([5, 100, 2_000]), null, "a host starts again", () => {
      if (!(this.lives[index] as Life).isAlive) this.#start(index);
    });
  }

  #heal(): void {
    const { scheduler } = this;
    this.faults.isHealed = true;
    this.delays.isHealed = true;
    scheduler.note("everything is healed");
    this.lives.forEach((life, index) => {
      life.pausedUntilMs = 0;
      life.stepsLeft = Number.POSITIVE_INFINITY;
      if (!life.isAlive) this.#start(index);
    });
    // Locks of the dead expire.
    scheduler.nowMs += 10_000;
  }

  #plan(planned: Planned, delayMs: number, repeatsLeft: number, isFinal = false): void {
    this.scheduler.after(delayMs, null, "a request", () => this.#send(planned, repeatsLeft, isFinal));
  }

  #send(planned: Planned, repeatsLeft: number, isFinal: boolean): void {
    const { chance, scheduler, scenario } = this;
    const index = chance.below(this.lives.length);
    const life = this.lives[index] as Life;
    this.counts.add("requests");
    if (!life.isAlive) {
      this.counts.add("requests to a host that was down");
      if (repeatsLeft > 0) this.#plan(planned, chance.between(1, 300), repeatsLeft - 1);
      return;
    }
    if (life.pausedUntilMs > scheduler.nowMs) {
      // It lies in the socket until the process goes on.
      this.#plan(planned, life.pausedUntilMs - scheduler.nowMs + 0.01, repeatsLeft);
      return;
    }
    const clock = this.#clockOf(this.plans[index] as HostPlan);
    const sent = this.history.send(planned, life, repeatsLeft, isFinal, clock.nowMs() - scenario.epochMs);
    const item = itemOf(planned, clock);
    const { family, traxId, amount } = planned;
    if (scheduler.trace !== null)
      scheduler.note(`${life.name} gets ${family} ${traxId} of ${planned.partner.userName}, ${amount}`);
    scheduler.current = life;
    const desk = planned.family === "payment" ? life.payments : life.reversals;
    desk.submit(item).then(
      (answer) => {
        this.history.answer(sent, answer);
        if (answer.kind !== "answered") this.#repeat(sent);
      },
      (error: unknown) => this.history.violate(`a desk threw: ${String(error)}`),
    );
  }

  /** The switch was not told, and asks again. */
  #repeat({ planned, repeatsLeft }: Sent): void {
    const { chance } = this;
    if (repeatsLeft > 0) this.#plan(planned, chance.below(chance.pick([3, 200, 3_000])), repeatsLeft - 1);
  }

  /** Every key that was ever asked, in any order: the payment or reversal as it was first sent. */
  #askedOnce(): Planned[] {
    const first = new Map<string, Planned>();
    for (const planned of this.scenario.messages) {
      const key = `${planned.partner.partnerId}:${planned.traxId}:${planned.family}`;
      if (!first.has(key)) first.set(key, { ...planned, isFresh: true });
    }
    return [...first.values()];
  }

  #leftovers(): string[] {
    const left: string[] = [];
    if (this.store.open.size > 0) left.push(`${this.store.open.size} transactions were left open`);
    for (const life of this.lives) {
      const waiting = life.payments.waiting + life.reversals.waiting;
      if (waiting > 0) left.push(`${life.name}: ${waiting} items still wait for a batch`);
      if (life.inFlight.size > 0) left.push(`${life.name}: keys still marked as in flight`);
      if (life.lent() > 0) left.push(`${life.name}: ${life.lent()} connections were never given back`);
    }
    return left;
  }
}

function itemOf(planned: Planned, clock: Clock): PaymentItem {
  const { partner, product, family } = planned;
  return {
    partner,
    product: product?.product ?? null,
    isFresh: planned.isFresh,
    receivedAtMs: clock.nowMs(),
    deadline: deadlineIn(clock, planned.deadlineMs),
    message: {
      userName: partner.userName,
      signature: "",
      productCode: planned.productCode,
      channel: "6017",
      terminal: "T0800004",
      terminalName: "",
      terminalLocation: "",
      transactionType: family === "payment" ? "50" : "51",
      billNumber: planned.billNumber,
      traxId: planned.traxId,
      timeStamp: "20-03-2023 10: 40: 40",
      bit61: planned.bit61,
      addInfo1: "",
      addInfo2: "",
      addInfo3: "",
      amountText: String(planned.amount),
      feeAmountText: String(planned.feeAmount),
      amount: planned.amount,
      feeAmount: planned.feeAmount,
      terminalField: "terminal",
      unknownFields: [],
    },
  };
}

/** Runs one seed from its first request to the last law. */
export async function simulate(seed: number, options: RunOptions = {}): Promise<Outcome> {
  const simulation = new Simulation(seed, options);
  const { scheduler, counts, faults, store, history } = simulation;
  const giveBack = takeGlobals(scheduler);
  // Faults are thrown by the thousand, and nobody reads where they came from.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  let violations: readonly string[];
  try {
    violations = await simulation.run();
  } catch (error) {
    violations = [`the simulation threw: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`];
  } finally {
    giveBack();
    Error.stackTraceLimit = stackTraceLimit;
  }
  counts.add("steps", scheduler.steps);
  counts.add("commits", store.commits.length);
  counts.add("deadlocks", store.deadlocks);
  counts.add("waits for a lock", store.waits);
  counts.add("runs without any fault", history.isQuiet ? 1 : 0);
  history.countInto(counts);
  return { seed, violations, counts, faults: faults.counts, digest: scheduler.digest };
}
