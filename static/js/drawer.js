// One renewal beside the table: opened by a link with data-drawer, by Enter on the account's cell, or by Alt Enter from
// any cell of its row. The page stays usable behind it. Without this script the same links lead to the renewal's page.
(function () {
  "use strict";
  const PHONE = matchMedia("(max-width: 639.98px)");
  let opener = null;

  function drawer() {
    let found = document.getElementById("drawer");
    if (!found) {
      found = document.createElement("dialog");
      found.id = "drawer";
      found.className = "d-drawer";
      found.setAttribute("aria-label", "Renewal");
      document.body.append(found);
    }
    return found;
  }

  async function open(url, from) {
    const target = drawer();
    opener = from;
    // Settled at once: what settles later takes the focus back to the heading from whoever has already moved on.
    await htmx.ajax("GET", url, { source: target, target, swap: "innerHTML settle:0ms" });
    if (!target.childElementCount) return;
    if (!target.open) target.show();
    target.scrollTop = 0;
    target.querySelector("[autofocus]")?.focus();
  }

  function close() {
    drawer().close();
    if (opener?.isConnected) opener.focus();
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-drawer]");
    const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (link && isPlain && !PHONE.matches && !document.querySelector("#renewal-page")) {
      event.preventDefault();
      open(link.getAttribute("href"), link.closest("#drawer") ? opener : link.closest("[tabindex]:not(a)") || link);
    } else if (event.target.closest("[data-closes-drawer]")) {
      close();
    }
    const called = event.target.closest("[data-mentions]");
    if (called) mention(called);
  });

  function mention(button) {
    const text = button.closest("form").elements.text;
    const gap = text.value && !/\s$/.test(text.value) ? " " : "";
    text.setRangeText(`${gap}@${button.dataset.mentions} `, text.selectionStart, text.selectionEnd, "end");
    button.closest("details").open = false;
    text.focus();
  }

  // Before the table's own keys.
  window.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.closest("#drawer") && !event.target.closest("details[open]")) {
      event.preventDefault();
      close();
      return;
    }
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const cell = event.target.closest(".g-table tbody th, .g-table tbody td");
    if (cell !== event.target || !(event.altKey || cell?.matches("th"))) return;
    const link = cell.parentElement.querySelector("a[data-drawer]");
    if (!link) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    open(link.getAttribute("href"), cell);
  }, true);
})();
