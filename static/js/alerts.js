// Whoever acts on an alert has read it. Without this script it stays unread until somebody says so.
(function () {
  "use strict";
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-acts]");
    if (!link?.dataset.acts) return;
    const row = link.closest("[data-alert]");
    const body = new FormData(row.querySelector("form[data-unread]"));
    const url = row.querySelector("form[data-unread]").action;
    link.dataset.acts = "";
    // Kept alive: the same click may lead away from this page.
    fetch(url, { method: "POST", body, headers: { "X-Requested-With": "fetch" }, keepalive: true }).then((answer) => {
      if (!answer.ok) return;
      row.classList.remove("is-unread");
      for (const mark of row.querySelectorAll("[data-unread]")) mark.remove();
      htmx.trigger(document.body, "alerts:changed");
    }).catch(() => { link.dataset.acts = row.dataset.alert; });
  });
})();
