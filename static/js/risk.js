// What a risk score is made of, on hover and on focus of its cell.
(function () {
  "use strict";
  const card = document.getElementById("risk-card");

  function element(tag, text, className) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  function showRisk(cell) {
    const factors = JSON.parse(document.getElementById("risk-factors")?.dataset.factors || "[]");
    const points = cell.dataset.contributions.split(",").map(Number);
    const present = points.map((point, index) => [point, index]).filter(([point]) => point >= 0).sort((a, b) => b[0] - a[0]);
    const missing = points.flatMap((point, index) => (point < 0 && factors[index]?.[0] ? [factors[index][0]] : []));
    const list = element("table");
    const body = list.appendChild(element("tbody"));
    for (const [point, index] of present) {
      const line = body.insertRow();
      line.append(element("th", factors[index]?.[0] || `Factor ${index + 1}`), element("td", (point / 100).toFixed(1)));
      line.title = factors[index]?.[1] || "";
    }
    const sum = list.createTFoot().insertRow();
    sum.append(element("th", "Risk score"), element("td", Number(cell.dataset.score).toFixed(1)));
    card.replaceChildren(element("strong", `Risk of ${cell.parentElement.dataset.account}`), list);
    if (missing.length) card.append(element("p", `No data: ${missing.join(", ")}.`));
    card.append(element("p", `Data completeness ${cell.dataset.completeness}%`));
    card.hidden = false;
    cell.setAttribute("aria-describedby", card.id);
    placeRisk(cell);
  }

  function placeRisk(cell) {
    const box = cell.getBoundingClientRect();
    const left = Math.min(box.left, innerWidth - card.offsetWidth - 8);
    const isBelow = box.bottom + card.offsetHeight + 8 < innerHeight;
    card.style.left = `${Math.max(left, 8)}px`;
    card.style.top = `${isBelow ? box.bottom + 2 : Math.max(box.top - card.offsetHeight - 2, 8)}px`;
  }

  function hideRisk() {
    if (!card || card.hidden) return;
    card.hidden = true;
    document.querySelector("[aria-describedby=risk-card]")?.removeAttribute("aria-describedby");
  }

  for (const [show, hide] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
    document.addEventListener(show, (event) => {
      const cell = event.target.closest?.("[data-contributions]");
      if (cell) showRisk(cell);
    });
    document.addEventListener(hide, (event) => {
      if (event.target.closest?.("[data-contributions]")) hideRisk();
    });
  }
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hideRisk(); }, true);
  document.addEventListener("scroll", () => {
    const cell = document.querySelector("[aria-describedby=risk-card]");
    if (cell) placeRisk(cell);
  }, true);
})();
