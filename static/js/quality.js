// The worklist: rows that something else changed, such as an undo, are asked for anew.
(function () {
  "use strict";

  document.addEventListener("renewals:changed", (event) => {
    for (const row of document.querySelectorAll("[data-row-url] > tr")) {
      const id = row.id.replace("quality-", "");
      if (!event.detail.is_all && !(event.detail.ids || []).map(String).includes(id)) continue;
      const url = row.parentElement.dataset.rowUrl.replace("/0/", `/${id}/`);
      htmx.ajax("GET", url, { source: row, target: row, swap: "outerHTML" });
    }
  });
})();
