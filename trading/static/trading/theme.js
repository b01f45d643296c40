/* Before the first paint: light or dark, as the person chose or as the system says. Kept where Unfold's pages keep it. */
(() => {
  "use strict";
  let chosen = "auto";
  try { chosen = JSON.parse(localStorage.getItem("adminTheme") || '"auto"'); } catch (_error) { chosen = "auto"; }
  const isDark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", isDark);
})();
