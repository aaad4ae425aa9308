// Blocking, in the head: the theme and the rail's fold must be known before the first paint.
// Choices live in localStorage (theme: "light" | "dark", none = as the system; rail: "folded", none = as wide as fits).
(function () {
  "use strict";
  const root = document.documentElement;
  const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
  const windowIsNarrow = matchMedia("(max-width: 1099.98px)");

  // Storage may be switched off; the page then simply follows the system.
  function read(key) {
    try { return localStorage.getItem("perennial." + key); } catch { return null; }
  }

  function write(key, value) {
    try {
      if (value) localStorage.setItem("perennial." + key, value);
      else localStorage.removeItem("perennial." + key);
    } catch { /* not kept, still applied below */ }
  }

  function apply() {
    const theme = read("theme") || (systemIsDark.matches ? "dark" : "light");
    const changed = root.dataset.bsTheme && root.dataset.bsTheme !== theme;
    root.dataset.bsTheme = theme;
    root.dataset.themeChoice = read("theme") || "auto";
    root.dataset.rail = windowIsNarrow.matches || read("rail") === "folded" ? "folded" : "open";
    if (changed) document.dispatchEvent(new CustomEvent("perennial:theme", { detail: theme }));
  }

  systemIsDark.addEventListener("change", apply);
  windowIsNarrow.addEventListener("change", apply);
  addEventListener("storage", apply);
  apply();

  window.perennial = {
    chooseTheme(choice) { write("theme", choice === "auto" ? "" : choice); apply(); },
    foldRail() { write("rail", root.dataset.rail === "folded" ? "" : "folded"); apply(); },
  };
})();
