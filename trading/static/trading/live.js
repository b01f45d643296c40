/* Keeps a page's numbers true while it is open; without it the page is what it was when it was loaded, and says so.
   1. Server-sent events say that something changed; the page's regions marked data-live are then read anew.
   2. Without events it looks every two seconds; without an answer the strip says since when.
   3. Nothing jumps under a finger: rows are mended in place, new rows wait behind a button, and nothing moves while a
      pointer is down or a field inside the region has the focus. */
(() => {
  "use strict";
  const TOPICS = new Set(["halts", "orders", "alerts", "positions"]);
  for (const word of (document.body.dataset.topics || "").split(",")) if (word) TOPICS.add(word);
  const REST_MS = 600, POLL_MS = 2000, IDLE_MS = 10000, ANSWER_MS = 6000, LOST_MS = 7000;
  const regions = () => document.querySelectorAll("[data-live]");
  if (!document.getElementById("lv-strip")) return;

  // What was read last, and since when reading fails: events alone do not make old numbers true.
  let readAt = Date.now(), failsSince = 0, askedAt = 0, busy = false, wanted = false, pressed = false, source = null, fresh = null;

  /* --- what the strip says about the connection --------------------------------------------------------------- */
  function say(state, text, title) {
    const sign = document.getElementById("lv-link");
    if (!sign) return;
    sign.hidden = false;
    sign.dataset.state = state;
    sign.title = title;
    if (sign.textContent !== text) sign.textContent = text;
  }
  function saySomething() {
    const now = Date.now(), isLost = failsSince && now - failsSince > REST_MS && now - readAt > LOST_MS;
    document.body.classList.toggle("lv-stale", Boolean(isLost));
    if (isLost) say("lost", "No contact for " + Math.round((now - readAt) / 1000) + " s", "These numbers are old. The page keeps trying.");
    else if (source && source.readyState === 1) say("live", "Live", "Changes are shown as they happen.");
    else say("poll", "Every 2 s", "The event stream does not answer; the page looks every two seconds.");
  }

  /* --- reading the page anew ---------------------------------------------------------------------------------- */
  async function look() {
    if (busy || pressed || document.hidden) { wanted = true; return; }
    busy = true; wanted = false; askedAt = Date.now();
    try {
      const address = regions().length ? location.href.split("#")[0] : "/admin/strip/";
      const answer = await fetch(address, { headers: { "X-Levi-Fragment": "1" }, credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
      if (answer.redirected) { say("lost", "Signed out", "Sign in again to see what happens."); source && source.close(); return; }
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        readAt = Date.now(); failsSince = 0;
        show(page);
      } else failsSince ||= Date.now();
    } catch (_error) { failsSince ||= Date.now(); } finally { busy = false; saySomething(); }
  }

  function show(page) {
    swap(document.getElementById("lv-strip"), page.getElementById("lv-strip"));
    for (const region of regions()) {
      const next = region.id && page.getElementById(region.id);
      if (!next) continue;
      if (region.dataset.live === "rows") showRows(region, next);
      else if (region.dataset.live === "chart") showChart(region, next);
      else swap(region, next);
    }
    document.dispatchEvent(new CustomEvent("levi:shown"));
  }

  function isInUse(element) {
    return element.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")
      || element.querySelector("details[data-closes][open], details.lv-reasons[open]");
  }
  function swap(old, next) {
    if (!old || !next || bare(old) === bare(next) || isInUse(old)) return;
    const opened = [...old.querySelectorAll("details")].map((d) => d.open);
    const focus = old.contains(document.activeElement) && document.activeElement.dataset.keep;
    old.className = next.className;
    // A picture stays the one that is drawn, with new numbers.
    for (const chart of old.querySelectorAll("[data-live=chart]")) {
      const other = chart.id && next.querySelector("#" + chart.id);
      if (other) { showChart(chart, other); other.replaceWith(chart); }
    }
    old.replaceChildren(...next.childNodes);
    const folds = [...old.querySelectorAll("details")];
    if (folds.length === opened.length) folds.forEach((d, index) => { d.open = opened[index]; });
    if (focus) { const again = old.querySelector('[data-keep="' + focus + '"]'); if (again) again.focus(); }
  }

  function showRows(table, next) {
    const body = table.tBodies && table.tBodies[0], other = next.tBodies && next.tBodies[0];
    if (!body || !other) { if (!body && other) table.replaceWith(next); return; }
    const known = new Map([...body.rows].map((row) => [row.dataset.key, row]));
    let count = 0;
    for (const row of other.rows) {
      const old = known.get(row.dataset.key);
      if (!old) count += 1;
      else if (bare(old) !== bare(row)) {
        const isChosen = old.querySelector("[name=chosen]:checked");
        old.replaceChildren(...row.cloneNode(true).childNodes);
        const box = isChosen && old.querySelector("[name=chosen]");
        if (box) box.checked = true;
        flash(old);
      }
    }
    fresh = count ? other : null;
    const news = document.getElementById("lv-news");
    if (!news) return;
    news.hidden = !count;
    if (count) news.firstElementChild.textContent = count + " new: show";
  }
  /* What a part says, without what differs in every answer (forms' tokens, running ages, local times, opened folds) and
     without pictures, which are regions of their own. */
  function bare(part) {
    const copy = part.cloneNode(true);
    for (const time of copy.querySelectorAll("time")) time.textContent = time.dateTime;
    for (const token of copy.querySelectorAll("input[name=csrfmiddlewaretoken]")) token.remove();
    for (const fold of copy.querySelectorAll("details")) fold.removeAttribute("open");
    for (const chart of copy.querySelectorAll("[data-live=chart]")) chart.replaceChildren();
    const sign = copy.querySelector("#lv-link");
    if (sign) sign.remove();
    return copy.innerHTML;
  }
  function flash(row) { row.classList.remove("lv-fresh"); void row.offsetWidth; row.classList.add("lv-fresh"); }

  function showChart(region, next) {
    const now = region.querySelector("script[type='application/json']"), then = next.querySelector("script[type='application/json']");
    if (!now || !then) { swap(region, next); return; }
    if (now.textContent === then.textContent) return;
    now.textContent = then.textContent;
    const table = region.querySelector(".lv-chart-numbers"), rows = next.querySelector(".lv-chart-numbers");
    if (table && rows) table.replaceChildren(...rows.childNodes);
    region.dispatchEvent(new CustomEvent("levi:data", { bubbles: true }));
  }

  document.addEventListener("click", (event) => {
    if (!event.target.closest("#lv-news") || !fresh) return;
    const table = document.getElementById("result_list"), known = new Set([...table.tBodies[0].rows].map((row) => row.dataset.key));
    for (const row of fresh.rows) if (!known.has(row.dataset.key)) row.classList.add("lv-fresh");
    table.replaceChild(fresh, table.tBodies[0]);
    fresh = null;
    document.getElementById("lv-news").hidden = true;
    document.dispatchEvent(new CustomEvent("levi:shown"));
  });

  /* --- when to look ------------------------------------------------------------------------------------------- */
  function soon() {
    const wait = Math.max(0, askedAt + REST_MS - Date.now());
    if (wanted) return;
    wanted = true;
    setTimeout(() => { if (wanted) look(); }, wait);
  }
  document.addEventListener("pointerdown", () => { pressed = true; }, true);
  for (const name of ["pointerup", "pointercancel"]) {
    document.addEventListener(name, () => setTimeout(() => { pressed = false; }, 300), true);
  }
  for (const name of ["offline", "online"]) window.addEventListener(name, () => look());
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { listen(); look(); } else if (source) { source.close(); source = null; } });

  function listen() {
    if (source && source.readyState !== 2) return;
    source = new EventSource("/api/v1/stream?topics=" + [...TOPICS].join(","));
    // What happened after the page was made and before anybody listened was told to nobody.
    source.onopen = () => { saySomething(); soon(); };
    for (const topic of [...TOPICS, "reset"]) source.addEventListener(topic, soon);
  }

  setInterval(() => {
    if (document.hidden) return;
    const isLive = source && source.readyState === 1;
    if (!isLive) listen();
    const isDue = Date.now() - askedAt > (isLive && !failsSince ? IDLE_MS : POLL_MS);
    if (isDue || (wanted && !pressed)) look();
    saySomething();
  }, 1000);
  askedAt = Date.now();
  listen();
})();
