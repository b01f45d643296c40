/* Keeps a page's numbers true while it is open; without it the page is what it was when it was loaded, and says so.
   1. Server-sent events say that something changed; the page's regions marked data-live are then read anew.
   2. Without events it looks every two seconds; where nothing comes, or not the page, the strip says what came and what to do.
   3. Nothing jumps under a finger: parts are mended in place, so that focus, typed text, open folds and scrolled tables
      stay; new rows wait behind a button; nothing moves while a pointer or key is down, what was read meanwhile is read
      again, or while a field inside the region has the focus. A form that is on its way is left alone. */
(() => {
  "use strict";
  const TOPICS = new Set(["halts", "orders", "alerts", "positions"]);
  for (const word of (document.body.dataset.topics || "").split(",")) if (word) TOPICS.add(word);
  const REST_MS = 600, POLL_MS = 2000, IDLE_MS = 10000, ANSWER_MS = 15000, LOST_MS = 7000, LISTEN_AGAIN_MS = 5000;
  // Longer, and a release was never heard of (a menu of the system, another window): a page must not stand still for good.
  const HELD_MS = 10000, CLICK_MS = 300, SLEPT_MS = 10000;
  const regions = () => document.querySelectorAll("[data-live]");
  if (!document.getElementById("lv-strip")) return;

  // What was read last, and since when reading fails: events alone do not make old numbers true.
  let readAt = Date.now(), failsSince = 0, askedAt = 0, busy = false, wanted = false, timer = 0, fresh = null;
  let source = null, listenedAt = 0, pressedAt = 0, tickedAt = Date.now();
  // What came instead of the page: what the strip says of it, and whether there is any point in waiting.
  let trouble = null;
  const isPressed = () => Date.now() - pressedAt < HELD_MS;

  /* --- what the strip says about the connection --------------------------------------------------------------- */
  function say(state, text, title, way) {
    const sign = document.getElementById("lv-link");
    if (!sign) return;
    sign.hidden = false;
    sign.dataset.state = state;
    sign.title = title;
    if (sign.textContent === text && Boolean(sign.querySelector("a")) === Boolean(way)) return;
    if (!way) { sign.textContent = text; return; }
    const link = document.createElement("a");
    link.href = way; link.textContent = text;
    sign.replaceChildren(link);
  }
  function saySomething() {
    const now = Date.now(), isSilent = failsSince ? now - failsSince > REST_MS : busy && now - askedAt > LOST_MS;
    const isOld = isSilent && now - readAt > LOST_MS, isLost = isOld || trouble && trouble.isSure;
    document.body.classList.toggle("lv-stale", Boolean(isLost));
    if (isLost && trouble && trouble.text) say("lost", trouble.text, "These numbers are old. " + trouble.title, trouble.isSure && here());
    else if (isLost) say("lost", "No contact for " + Math.round((now - readAt) / 1000) + " s", "These numbers are old. The page keeps trying.");
    else if (source && source.readyState === 1) say("live", "Live", "Changes are shown as they happen.");
    else say("poll", "Every 2 s", "The event stream does not answer; the page looks every two seconds.");
  }

  /* --- what came instead of the page -------------------------------------------------------------------------- */
  const LED_TO = [
    ["/admin/login/", "Sign in again", "This sign-in has ended: nothing but the door can be opened with it."],
    ["/admin/trading/secondfactor/", "Confirm it is you", "The second factor is asked for before anything is shown."],
    ["", "Open it anew", "This page now leads to another one."],
  ];
  const ANSWERED = {
    403: ["Not allowed: reload", "Your roles do not show this page any more."],
    404: ["Gone: reload", "What this page shows does not exist any more."],
    405: ["Open it anew", "This page is an answer to a form and cannot be read a second time."],
  };
  function judge(answer) {
    if (answer.redirected) {
      const [, text, title] = LED_TO.find(([place]) => new URL(answer.url).pathname.startsWith(place));
      return { text, title, isSure: true };
    }
    if (answer.ok) return null;
    const [text, title] = ANSWERED[answer.status] || ["Error " + answer.status, "The server answers, but cannot make this page. The page keeps trying."];
    return { text, title, isSure: answer.status in ANSWERED };
  }

  /* --- reading the page anew ---------------------------------------------------------------------------------- */
  const here = () => location.href.split("#")[0];
  async function read() {
    const answer = await fetch(regions().length ? here() : "/admin/strip/", { headers: { "X-Levi-Fragment": "1" }, credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
    const found = judge(answer);
    if (found) return found;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!page.getElementById("lv-strip")) return { text: "Another page came", title: "Something between you and the panel answers in its place. The page keeps trying." };
    readAt = Date.now();
    // The finger came down while the answer was on its way: what it is on must not be replaced before it is up again.
    if (isPressed()) { wanted = true; return null; }
    try { show(page); } catch (error) { reportError(error); return { text: "Cannot show it: reload", title: "This page's script failed at what came.", isSure: true }; }
    return null;
  }
  async function look() {
    if (busy || isPressed() || document.hidden) { wanted = true; return; }
    busy = true; wanted = false; askedAt = Date.now();
    try { trouble = await read(); } catch (_error) { trouble = {}; } finally { busy = false; }
    failsSince = trouble ? failsSince || Date.now() : 0;
    saySomething();
    if (wanted) soon();
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
      || element.querySelector("details[data-closes][open], details.lv-reasons[open]")
      || "holds" in element.dataset && isTyped(element);
  }
  /* Something in it was typed or chosen, and not sent yet. */
  function isTyped(element) {
    const isTicked = (field) => field.type === "checkbox" || field.type === "radio";
    return [...element.querySelectorAll("input, textarea")].some((field) => isTicked(field) ? field.checked !== field.defaultChecked : field.value !== field.defaultValue)
      || [...element.querySelectorAll("select")].some((field) => field.selectedIndex !== Math.max(0, [...field.options].findIndex((option) => option.defaultSelected)));
  }
  function swap(old, next) {
    if (!old || !next || bare(old) === bare(next) || isInUse(old)) return;
    const hadFocus = old.contains(document.activeElement);
    mend(old, next);
    // What had the focus is not there any more: the keyboard goes on from where it was.
    if (hadFocus && !old.contains(document.activeElement)) { old.tabIndex = -1; old.focus({ preventScroll: true }); }
  }

  /* --- mending one part by another ---------------------------------------------------------------------------- */
  const MEANING = ["id", "name", "type", "href", "action", "formaction", "data-keep", "data-key"];
  /* The same part does the same when it is used: a button that pauses never becomes, under a finger or the focus, one
     that resumes. A form with an id is the same one whatever its buttons do: what was typed into it stays. */
  function isSame(one, other) {
    if (one.nodeName !== other.nodeName) return false;
    if (one.nodeType !== 1) return true;
    if (one.localName === "form" && one.id) return one.id === other.id;
    if (MEANING.some((name) => one.getAttribute(name) !== other.getAttribute(name))) return false;
    return !one.matches("button, [type=checkbox], [type=radio]") || one.value === other.value && one.textContent === other.textContent;
  }
  // Set by scripts and browsers, not by the server.
  const OWN = new Set(["open", "style", "tabindex", "data-drawn"]);
  function mend(old, next) {
    for (const { name, value } of next.attributes) if (!OWN.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
    for (const { name } of [...old.attributes]) if (!OWN.has(name) && !next.hasAttribute(name)) old.removeAttribute(name);
    let at = old.firstChild;
    const parts = [...next.childNodes];
    parts.forEach((part, index) => {
      const later = parts.slice(index + 1);
      let found = at;
      while (found && !isSame(found, part)) {
        if (found.nodeType === 1 && later.some((other) => isSame(found, other))) found = null;
        else found = found.nextSibling;
      }
      if (!found) { old.insertBefore(part, at); return; }
      while (at !== found) { const gone = at; at = at.nextSibling; gone.remove(); }
      at = found.nextSibling;
      mendPart(found, part);
    });
    while (at) { const gone = at; at = at.nextSibling; gone.remove(); }
  }
  function mendPart(old, next) {
    if (old.nodeType !== 1) { if (old.data !== next.data) old.data = next.data; return; }
    if (old.id === "lv-link" || old.matches("form[data-sent]")) return;
    if (old.localName === "time" && old.dateTime === next.dateTime) return;  // it shows the person's own zone
    if (old.localName === "canvas") old.setAttribute("aria-label", next.getAttribute("aria-label"));
    else if (old.dataset.live === "chart") showChart(old, next);
    else mend(old, next);
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
    return copy.className + copy.innerHTML;
  }

  /* A picture stays the one that is drawn, with new numbers. */
  function showChart(region, next) {
    const numbers = (of) => { const script = of.querySelector("script[type='application/json']"); return script ? script.textContent : ""; };
    const isNew = numbers(region) !== numbers(next);
    mend(region, next);
    if (isNew) region.dispatchEvent(new CustomEvent("levi:data", { bubbles: true }));
  }

  /* --- lists: rows are mended where they stand, others wait behind a button ------------------------------------- */
  const rowsOf = (list) => list.tBodies ? [...list.tBodies[0].rows] : [];
  function showRows(list, next) {
    const box = list.closest("#lv-list-rows"), nextBox = next.closest("#lv-list-rows");
    const old = rowsOf(list), known = new Map(old.map((row) => [row.dataset.key, row]));
    if (!old.length) { if (next.tBodies) box.replaceWith(nextBox); return; }
    const count = rowsOf(next).filter((row) => !known.has(row.dataset.key)).length;
    for (const row of rowsOf(next)) {
      const same = known.get(row.dataset.key);
      if (!same) continue;
      known.delete(row.dataset.key);
      if (same.classList.contains("lv-gone")) { same.classList.remove("lv-gone"); same.removeAttribute("title"); }
      if (innerOf(same) !== innerOf(row)) { mendRow(same, row.cloneNode(true)); flash(same); }
    }
    const gone = goneOf(old, known, nextBox.querySelector("[rel=next]"));
    for (const row of gone) { row.classList.add("lv-gone"); row.title = "Not in this list any more"; }
    fresh = count || gone.length ? nextBox : null;
    const news = document.getElementById("lv-news");
    news.hidden = !fresh;
    const words = [count && count + " new", gone.length && gone.length + " gone"].filter(Boolean).join(", ") + ": show";
    if (fresh && news.firstElementChild.textContent !== words) news.firstElementChild.textContent = words;
  }
  const innerOf = (row) => bare(row).slice(row.className.length);
  function mendRow(row, next) { next.className = row.className; mend(row, next); }
  /* Of the rows that did not come again, those below the last one that did may only have moved to the next page. */
  function goneOf(rows, missing, hasMore) {
    const stays = (row) => !missing.has(row.dataset.key);
    const lowest = rows.findLastIndex(stays);
    return rows.filter((row, index) => !stays(row) && (!hasMore || index < lowest));
  }
  function flash(row) { row.classList.remove("lv-fresh"); void row.offsetWidth; row.classList.add("lv-fresh"); }

  document.addEventListener("click", (event) => {
    if (!event.target.closest("#lv-news") || !fresh) return;
    const box = document.getElementById("lv-list-rows"), old = rowsOf(document.getElementById("result_list"));
    const known = new Set(old.map((row) => row.dataset.key)), chosen = new Set([...box.querySelectorAll("[name=chosen]:checked")].map((tick) => tick.value));
    for (const tick of fresh.querySelectorAll("[name=chosen]")) tick.checked = chosen.has(tick.value);
    for (const row of rowsOf(fresh.querySelector("#result_list"))) if (!known.has(row.dataset.key)) row.classList.add("lv-fresh");
    box.replaceWith(fresh);
    const start = fresh.querySelector(".lv-scroll");
    if (start) start.focus({ preventScroll: true });
    fresh = null;
    document.dispatchEvent(new CustomEvent("levi:shown"));
  });

  /* --- when to look ------------------------------------------------------------------------------------------- */
  function soon() {
    wanted = true;
    if (busy || timer) return;
    timer = setTimeout(() => { timer = 0; look(); }, Math.max(0, askedAt + REST_MS - Date.now()));
  }
  // A click is whole only if what went down and what comes up is the same part; a key presses as a pointer does.
  function press() { pressedAt = Date.now(); }
  function release() {
    if (!pressedAt) return;
    const mine = pressedAt;
    setTimeout(() => { if (pressedAt === mine) { pressedAt = 0; if (wanted) soon(); } }, CLICK_MS);
  }
  const isPress = (event) => event.key === " " || event.key === "Enter";
  document.addEventListener("pointerdown", press, true);
  document.addEventListener("keydown", (event) => { if (isPress(event)) press(); }, true);
  for (const name of ["pointerup", "pointercancel", "contextmenu"]) document.addEventListener(name, release, true);
  document.addEventListener("keyup", (event) => { if (isPress(event)) release(); }, true);
  document.addEventListener("pointermove", (event) => { if (pressedAt && !event.buttons) release(); }, { capture: true, passive: true });
  window.addEventListener("blur", release);

  window.addEventListener("offline", look);
  window.addEventListener("online", () => { hang(); listen(); look(); });
  document.addEventListener("visibilitychange", () => { hang(); if (!document.hidden) { listen(); look(); } });
  // A browser opens few connections to one server: what leads away from here must not wait for this one.
  window.addEventListener("beforeunload", hang);

  function hang() { if (source) source.close(); source = null; listenedAt = 0; }
  /* One stream while somebody looks; a server that has no room, or no word for us, is not asked every second. */
  function listen() {
    if (document.hidden || source && source.readyState !== 2 || Date.now() - listenedAt < LISTEN_AGAIN_MS) return;
    listenedAt = Date.now();
    source = new EventSource("/api/v1/stream?topics=" + [...TOPICS].join(","));
    // What happened after the page was made and before anybody listened was told to nobody.
    source.onopen = () => { saySomething(); soon(); };
    for (const topic of [...TOPICS, "reset"]) source.addEventListener(topic, soon);
  }

  setInterval(() => {
    const now = Date.now(), hasSlept = now - tickedAt > SLEPT_MS;
    tickedAt = now;
    if (document.hidden) return;
    // A computer that slept has connections that look open and are not.
    if (hasSlept) { hang(); soon(); }
    listen();
    const isLive = source && source.readyState === 1, isHopeful = !trouble || !trouble.isSure;
    if (now - askedAt > (isLive && !failsSince || !isHopeful ? IDLE_MS : POLL_MS)) look();
    saySomething();
  }, 1000);
  askedAt = Date.now();
  listen();
})();
