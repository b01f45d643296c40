/* Progressive touches; every page works without this file.
   1. Ages keep running, so that a page left open does not look fresh.
   2. A form marked data-once sends once: its buttons rest after the first submit. Where no answer comes, the page says so.
   3. A press outside closes open menus.
   4. Times are shown in the person's zone (their computer's), with UTC in the tooltip; or all in UTC.
   5. Light, dark or as the system says.
   6. The navigation stands where the page is named in it, however low the window. */
(() => {
  "use strict";
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

  function words(seconds) {
    const whole = Math.max(Math.floor(seconds), 0);
    for (const [size, name] of units) {
      if (whole >= size) {
        const rest = name === "h" ? Math.floor((whole % size) / 60) : 0;
        return Math.floor(whole / size) + " " + name + (rest ? " " + rest + " min" : "");
      }
    }
    return "0 s";
  }

  // The server's clock counts: the offset keeps a wrong clock of this computer out of the ages.
  const told = document.querySelector("meta[name='lv-now']");
  const offset = told ? Date.parse(told.content) - Date.now() : 0;

  const nav = document.getElementById("lv-nav");
  const here = nav && nav.querySelector("[aria-current]");
  if (here) nav.scrollTop = here.offsetTop - nav.clientHeight / 2;

  /* --- what a person chooses: colours and the zone of times ----------------------------------------------------- */
  function read(name, otherwise) {
    try { return JSON.parse(localStorage.getItem(name) || "null") || otherwise; } catch (_error) { return otherwise; }
  }
  function keep(name, value) { try { localStorage.setItem(name, JSON.stringify(value)); } catch (_error) { /* for this page only */ } }
  const CHOICES = { theme: ["adminTheme", "auto"], zone: ["levi_zone", "local"] };

  function showChoices() {
    for (const [name, [key, otherwise]] of Object.entries(CHOICES)) {
      for (const button of document.querySelectorAll('[data-choice="' + name + '"] button')) {
        button.setAttribute("aria-pressed", String(button.value === read(key, otherwise)));
      }
    }
  }
  function showTheme() {
    const chosen = read("adminTheme", "auto");
    const isDark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
    if (document.documentElement.classList.contains("lv-html")) document.documentElement.classList.toggle("dark", isDark);
    document.dispatchEvent(new CustomEvent("levi:theme"));
  }
  const two = (number) => String(number).padStart(2, "0");
  function clock(at, isUtc) {
    const part = (name) => at[(isUtc ? "getUTC" : "get") + name]();
    const time = two(part("Hours")) + ":" + two(part("Minutes"));
    const now = new Date(Date.now() + offset), day = (date) => isUtc ? date.toISOString().slice(0, 10) : date.toDateString();
    if (day(now) === day(at)) return time + ":" + two(part("Seconds"));
    const date = two(part("Month") + 1) + "-" + two(part("Date"));
    return now.getFullYear() === part("FullYear") ? date + " " + time + ":" + two(part("Seconds")) : part("FullYear") + "-" + date + " " + time;
  }
  function showClocks() {
    const isUtc = read("levi_zone", "local") === "utc";
    for (const element of document.querySelectorAll("time.lv-clock")) {
      const text = clock(new Date(element.dateTime), isUtc);
      if (element.textContent !== text) element.textContent = text;
    }
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-choice] button");
    if (!button) return;
    keep(CHOICES[button.closest("[data-choice]").dataset.choice][0], button.value);
    showChoices(); showTheme(); showClocks();
  });

  function tick() {
    if (document.hidden) return;
    const now = Date.now() + offset;
    for (const element of document.querySelectorAll("time.lv-ago")) {
      const seconds = (now - Date.parse(element.dateTime)) / 1000;
      const text = seconds < -1 ? "in " + words(-seconds) : words(seconds) + " ago";
      if (element.textContent !== text) element.textContent = text;
    }
  }

  /* Nothing is known of what was sent and not answered: it may have been done. STOP may be pressed again at any time. */
  const LATE = {
    once: [15000, "No answer for 15 s. It may have been done all the same: look before you send it again. ", "Look now"],
    stop: [5000, "STOP is sent, and no answer came for 5 s. Press it again; where the panel stays silent, run manage.py break_glass on the host. ", "Look now"],
  };
  let late = 0;
  function expectAnswer(kind) {
    const [wait, text, way] = LATE[kind];
    clearTimeout(late);
    late = setTimeout(() => {
      const note = document.getElementById("lv-late") || document.body.appendChild(document.createElement("div")), link = document.createElement("a");
      Object.assign(note, { id: "lv-late", className: "lv-alert lv-alert-warn" });
      note.setAttribute("role", "alert");
      Object.assign(link, { href: location.href.split("#")[0], className: "lv-link", textContent: way });
      note.replaceChildren(text, link);
    }, wait);
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches(".lv-stop-form, .lv-engage")) expectAnswer("stop");
    if (!form.matches("form[data-once]")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    expectAnswer("once");
    // After the browser has read the pressed button's name.
    setTimeout(() => form.querySelectorAll("button").forEach((button) => { button.disabled = true; }), 0);
  });

  // Coming back with the browser's back button shows a frozen page: let its forms work again.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    clearTimeout(late);
    const note = document.getElementById("lv-late");
    if (note) note.remove();
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      form.querySelectorAll("button").forEach((button) => { button.disabled = false; });
    }
  });

  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details.lv-reasons[open], details[data-closes][open]")) {
      if (!open.contains(event.target)) open.removeAttribute("open");
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const open of document.querySelectorAll("details[data-closes][open], details.lv-reasons[open]")) open.removeAttribute("open");
    // "/" leads to the search for anything, as in many places.
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest("input, textarea, select")) {
      const field = document.getElementById("lv-find-term");
      if (field) { event.preventDefault(); field.focus(); }
    }
  });

  document.addEventListener("levi:shown", () => { showClocks(); tick(); });
  // The system turned dark, or a choice was made in another window.
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);
  window.addEventListener("storage", (event) => {
    if (Object.values(CHOICES).some(([key]) => key === event.key)) { showChoices(); showTheme(); showClocks(); }
  });
  showChoices(); showClocks();
  setInterval(tick, 1000);
})();
