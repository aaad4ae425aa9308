// Toasts: what changed from what to what, with Undo. They come from three places: Django's messages (already in the
// page), an answer's `HX-Trigger: {"toast": {...}}`, and scripts through perennial.toast({...}).
(function () {
  "use strict";
  const SECONDS_SHOWN = 8;
  const SECONDS_ASKED = 20;
  const MOST_AT_ONCE = 4;
  const stack = document.getElementById("toasts");
  const pattern = document.getElementById("toast-pattern");
  if (!stack) return;

  // Leaves by itself after a while, but not under the pointer or the focus; an error stays until it is dismissed.
  function start(toast) {
    const seconds = toast.querySelector(".p-toast-minutes").hidden ? SECONDS_SHOWN : SECONDS_ASKED;
    let timer = 0;
    const hold = () => clearTimeout(timer);
    const release = () => { hold(); timer = setTimeout(() => toast.remove(), seconds * 1000); };
    toast.querySelector("[data-dismiss]").addEventListener("click", () => toast.remove());
    if (toast.classList.contains("is-error")) return;
    for (const event of ["pointerenter", "focusin"]) toast.addEventListener(event, hold);
    for (const event of ["pointerleave", "focusout"]) toast.addEventListener(event, release);
    release();
  }

  function offerUndo(toast, undoUrl, undoTarget) {
    const button = toast.querySelector(".p-toast-undo");
    button.hidden = false;
    button.setAttribute("hx-post", undoUrl);
    button.setAttribute("hx-target", undoTarget || "this");
    button.setAttribute("hx-swap", undoTarget ? "outerHTML" : "none");
    button.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) toast.remove(); });
    htmx.process(button);
    const step = { undoUrl, verb: "undo" };
    document.dispatchEvent(new CustomEvent("perennial:step", { detail: step }));
    if (step.verb === "redo") button.replaceChildren("Redo", Object.assign(document.createElement("kbd"), { textContent: "Ctrl Y" }));
    // The keys take the newest step only; they are shown where they work.
    stack.querySelectorAll(".p-toast-undo kbd").forEach((keys) => { keys.hidden = true; });
    button.querySelector("kbd").hidden = false;
  }

  // How long it took, the estimate at first. The toast stays while somebody is typing, and goes once it is saved.
  function askMinutes(toast, { url, name, value, most }) {
    const form = toast.querySelector(".p-toast-minutes");
    const input = form.querySelector("input");
    form.hidden = false;
    Object.assign(input, { name, value, max: most });
    form.setAttribute("hx-post", url);
    form.setAttribute("hx-swap", "none");
    form.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) toast.remove(); });
    htmx.process(form);
  }

  function show({ text, undoUrl, undoTarget, level, minutes }) {
    const toast = pattern.content.firstElementChild.cloneNode(true);
    toast.querySelector("[data-text]").textContent = text;
    if (level === "error") {
      toast.classList.add("is-error");
      toast.setAttribute("role", "alert");
    }
    if (minutes) askMinutes(toast, minutes);
    if (undoUrl) offerUndo(toast, undoUrl, undoTarget);
    // Said twice is said once: the same error again replaces the first.
    for (const other of [...stack.children]) {
      if (other.querySelector("[data-text]").textContent === text) other.remove();
    }
    stack.append(toast);
    while (stack.children.length > MOST_AT_ONCE) stack.firstElementChild.remove();
    start(toast);
    return toast;
  }

  document.addEventListener("toast", (event) => show(event.detail));
  for (const toast of stack.children) start(toast);
  // Once the script that keeps the steps is there too.
  document.addEventListener("DOMContentLoaded", () => {
    for (const toast of stack.querySelectorAll("[data-undo-url]")) offerUndo(toast, toast.dataset.undoUrl);
  });
  window.perennial.toast = show;
})();
