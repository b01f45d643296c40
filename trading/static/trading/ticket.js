/* The dry run while typing: a moment after the last key the ticket is checked, and the answer beside it is replaced.
   Nothing is written by a check. Placing stays what it is without this file: a form of its own with a single-use key.
   What was typed before this file came is checked when it comes; a check that failed says so and what to do. */
(() => {
  "use strict";
  const form = document.querySelector("form.lv-ticket-form"), side = document.getElementById("lv-answer");
  if (!form || !side) return;
  const WAIT_MS = 450;
  let timer = 0, asked = 0;

  async function check() {
    const mine = ++asked, given = new FormData(form);
    if (!given.get("quantity") && !given.get("quote_quantity")) return;
    given.set("step", "check");
    side.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(given), headers: { "X-Levi-Fragment": "1" }, credentials: "same-origin" });
      if (mine !== asked) return;
      if (answer.redirected) { side.replaceChildren(says("You were signed out. Load the page again to go on; nothing was ordered.")); return; }
      if (!answer.ok) { side.replaceChildren(says(`The check failed (${answer.status}). “Check” tries again.`)); return; }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html"), next = page.getElementById("lv-answer");
      if (!next) return;
      const isChecked = next.querySelector("#verdict");
      showErrors(page);
      if (isChecked) { side.replaceChildren(...next.childNodes); document.dispatchEvent(new CustomEvent("levi:shown")); }
      else side.replaceChildren(says("Not checked yet: see what the form says."));
    } catch (_error) {
      if (mine === asked) side.replaceChildren(says("The check did not get through. “Check” tries again."));
    } finally {
      if (mine === asked) side.removeAttribute("aria-busy");
    }
  }
  function says(text) {
    const card = document.createElement("p");
    card.className = "lv-alert";
    card.textContent = text;
    return card;
  }
  function showErrors(page) {
    form.querySelectorAll(".lv-error, .lv-alert-bad").forEach((part) => part.remove());
    for (const field of form.querySelectorAll(".lv-field")) {
      const name = [...field.classList].find((word) => word.startsWith("lv-field-") && word !== "lv-field-bad");
      const errors = page.querySelectorAll("." + CSS.escape(name) + " > .lv-error");
      field.classList.toggle("lv-field-bad", errors.length > 0);
      errors.forEach((error) => field.append(error));
    }
    page.querySelectorAll(".lv-ticket-form > .lv-alert-bad").forEach((alert) => form.prepend(alert));
  }
  function checkSoon() {
    clearTimeout(timer);
    side.querySelectorAll("form button").forEach((button) => { button.disabled = true; });
    timer = setTimeout(check, WAIT_MS);
  }
  form.addEventListener("input", checkSoon);
  if ([...form.elements].some((field) => field.type === "text" && field.value !== field.defaultValue)) checkSoon();
})();
