/* Progressive touches; every page works without this file.
   1. Ages keep running, so that a page left open does not look fresh.
   2. A form marked data-once sends once: its buttons rest after the first submit.
   3. A press outside closes the list of reasons beside STOP. */
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

  function tick() {
    if (document.hidden) return;
    const now = Date.now() + offset;
    for (const element of document.querySelectorAll("time.lv-ago")) {
      const seconds = (now - Date.parse(element.dateTime)) / 1000;
      const text = seconds < -1 ? "in " + words(-seconds) : words(seconds) + " ago";
      if (element.textContent !== text) element.textContent = text;
    }
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-once]")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    // After the browser has read the pressed button's name.
    setTimeout(() => form.querySelectorAll("button").forEach((button) => { button.disabled = true; }), 0);
  });

  // Coming back with the browser's back button shows a frozen page: let its forms work again.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      form.querySelectorAll("button").forEach((button) => { button.disabled = false; });
    }
  });

  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details.lv-reasons[open]")) {
      if (!open.contains(event.target)) open.removeAttribute("open");
    }
  });

  setInterval(tick, 1000);
})();
