/* Shows only the fields of the chosen kind; those of the others rest, so that they are not sent. Without this file all
   of them are shown, grouped by kind. */
(() => {
  "use strict";
  const form = document.querySelector("form.lv-algo-form");
  if (!form) return;
  const fields = [...form.querySelectorAll("[data-kinds]")];

  function show() {
    const kind = new FormData(form).get("kind");
    for (const field of fields) {
      const isOfIt = field.dataset.kinds.split(" ").includes(kind);
      field.disabled = !isOfIt;
      field.closest(".lv-field").hidden = !isOfIt;
    }
    for (const group of form.querySelectorAll("fieldset")) group.hidden = ![...group.querySelectorAll(".lv-field")].some((part) => !part.hidden);
  }
  form.addEventListener("change", show);
  window.addEventListener("pageshow", show);
  show();
})();
