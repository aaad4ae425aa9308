// Rules pages: the tolerance line and the shares of the weights follow what is typed. The server computes all of it again.
(function () {
  "use strict";

  function showTolerance(form, input) {
    const mark = form.querySelector(`[data-shows="${input.name}"]`);
    if (mark) mark.textContent = (input.name === "early_days" ? "−" : "+") + input.value;
  }

  function showShares(form) {
    const rows = [...form.querySelectorAll("[data-factor]")];
    const weights = rows.map((row) => Math.max(0, row.querySelector("input").valueAsNumber || 0));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    rows.forEach((row, index) => {
      const share = sum ? (100 * weights[index]) / sum : 0;
      row.querySelector("[data-share]").textContent = `${Math.round(share)} %`;
      row.querySelector(".p-bar rect").setAttribute("width", `${Math.round(share)}%`);
    });
    form.querySelector("[data-sum]").textContent = String(Math.round(sum * 100) / 100);
  }

  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (form && "tolerances" in form.dataset) showTolerance(form, event.target);
    if (form && "weights" in form.dataset) showShares(form);
  });
})();
