// Touches by keyboard: Alt T leads to the form that logs one, Ctrl Enter in it saves.
(function () {
  "use strict";
  document.addEventListener("keydown", (event) => {
    const form = document.querySelector("[data-touch-form]");
    if (!form) return;
    if (event.altKey && !event.ctrlKey && !event.metaKey && event.code === "KeyT") {
      event.preventDefault();
      form.scrollIntoView({ block: "center" });
      form.elements["touch-kind"].focus();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && form.contains(event.target)) {
      event.preventDefault();
      form.requestSubmit();
    }
  });

  // Once a touch is logged the section is new: the focus goes back to where the next one is logged.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id !== "touches") return;
    const form = document.querySelector("[data-touch-form]");
    const wrong = form?.querySelector("[aria-invalid=true]");
    (wrong || form?.elements["touch-note"])?.focus({ preventScroll: true });
  });
})();
