// What the bill's page gains with scripts: it follows its bill by itself, copies the code, counts down, prints. Everything
// else works without. No framework, no build: this file is served as it is.
(() => {
  const POLL_FIRST_MS = 5_000;
  const POLL_MAX_MS = 60_000;
  const COUNT_EVERY_MS = 15_000;
  const SAY_COPIED_MS = 3_000;

  /** The part of the page that is replaced when the bill changes. */
  let main = document.querySelector("main[data-tag]");
  if (main === null) return;
  const announcement = document.getElementById("announcement");
  /** @type {EventSource | null} */
  let stream = null;
  let pollTimer = 0;
  let pollMs = POLL_FIRST_MS;
  let isLoading = false;

  function announce(text) {
    announcement.textContent = "";
    // A text that is put into an emptied region later is read out, also when it is the same as before.
    setTimeout(() => (announcement.textContent = text), 100);
  }

  // --- following the bill

  function follow() {
    stop();
    if (document.hidden || main.dataset.follow !== "yes") return;
    if (!("EventSource" in window)) {
      poll();
      return;
    }
    stream = new EventSource(`${main.dataset.page}/events`);
    stream.addEventListener("tag", (event) => void compare(event.data));
    stream.addEventListener("open", () => clearTimeout(pollTimer));
    stream.addEventListener("error", () => {
      // While it is only interrupted the browser connects again by itself. Refused, it gives up: then we ask.
      if (stream !== null && stream.readyState === EventSource.CLOSED) poll();
    });
  }

  function stop() {
    stream?.close();
    stream = null;
    clearTimeout(pollTimer);
    pollMs = POLL_FIRST_MS;
  }

  function poll() {
    clearTimeout(pollTimer);
    pollTimer = setTimeout(() => void ask(), pollMs);
    pollMs = Math.min(pollMs * 1.5, POLL_MAX_MS);
  }

  async function ask() {
    try {
      const response = await fetch(`${main.dataset.page}/status`, { cache: "no-store" });
      if (response.ok) await compare((await response.json()).tag);
    } catch {
      // Without a network there is nothing to tell; the next try will.
    }
    const isFollowed = stream !== null && stream.readyState !== EventSource.CLOSED;
    if (main.dataset.follow === "yes" && !document.hidden && !isFollowed) poll();
  }

  async function compare(tag) {
    if (tag !== main.dataset.tag) await load();
  }

  /** Takes the page as it is now and puts its content in place of the old one. */
  async function load() {
    if (isLoading) return;
    isLoading = true;
    try {
      const address = new URL(main.dataset.page, location.href);
      address.searchParams.set("lang", document.documentElement.lang);
      const response = await fetch(address, { cache: "no-store" });
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
      const next = fresh.querySelector("main[data-tag]");
      if (!response.ok || next === null) return;
      if (next.dataset.page !== main.dataset.page) {
        // Shown one level deeper, after a payment page that did not open: its addresses would lead elsewhere.
        location.replace(address);
        return;
      }
      const hadFocus = main.contains(document.activeElement) && document.activeElement !== document.body;
      main.replaceWith(next);
      main = next;
      document.title = fresh.title;
      enliven();
      if (hadFocus) main.focus();
      announce(main.dataset.announce);
      if (main.dataset.follow !== "yes") stop();
    } catch {
      poll();
    } finally {
      isLoading = false;
    }
  }

  // --- what the content can do

  function enliven() {
    for (const button of main.querySelectorAll("[data-copy]")) {
      button.hidden = false;
      button.addEventListener("click", () => void copy(button));
    }
    for (const button of main.querySelectorAll("[data-print]")) {
      button.hidden = false;
      button.addEventListener("click", () => window.print());
    }
    count();
  }

  async function copy(button) {
    const { copy: code, copied, failed } = button.dataset;
    const label = button.textContent;
    const isDone = (await writeToClipboard(code)) || copySelected();
    button.textContent = isDone ? copied : failed;
    announce(isDone ? copied : failed);
    setTimeout(() => (button.textContent = label), SAY_COPIED_MS);
  }

  async function writeToClipboard(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return false;
    }
  }

  /** The older way, for pages that are not served over https and for old browsers. The code stays selected. */
  function copySelected() {
    const code = document.getElementById("code");
    if (code === null) return false;
    getSelection()?.selectAllChildren(code);
    try {
      return document.execCommand("copy");
    } catch {
      return false;
    }
  }

  // --- the time left, by the server's clock: the customer's may be wrong

  function count() {
    const shown = main.querySelector("[data-due]");
    if (shown === null) return;
    const { due, now, least } = shown.dataset;
    shown.dataset.since ??= String(performance.now());
    const leftMs = Number(due) - Number(now) - (performance.now() - Number(shown.dataset.since));
    shown.textContent = spanText(leftMs) ?? least;
    if (leftMs <= 0 && main.dataset.follow === "yes") void ask();
  }

  function spanText(leftMs) {
    const minutes = Math.floor(leftMs / 60_000);
    const parts = [
      [Math.floor(minutes / 1_440), "day"],
      [Math.floor(minutes / 60) % 24, "hour"],
      [minutes % 60, "minute"],
    ];
    const first = parts.findIndex(([amount]) => amount > 0);
    if (first < 0) return null;
    const locale = document.documentElement.lang === "en" ? "en-GB" : "id-ID";
    return parts
      .slice(first, first + 2)
      .filter(([amount]) => amount > 0)
      .map(([amount, unit]) =>
        new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(amount),
      )
      .join(" ");
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      stop();
      return;
    }
    count();
    follow();
    void ask();
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) void ask();
  });
  addEventListener("pagehide", stop);
  setInterval(count, COUNT_EVERY_MS);
  enliven();
  follow();
})();
