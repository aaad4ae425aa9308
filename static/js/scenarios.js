// What if: a slider and its number field say the same, and a date is moved or set. The server computes.
(function () {
  "use strict";

  document.addEventListener("input", ({ target }) => {
    if (target.matches?.("[data-mirrors]")) document.getElementById(target.dataset.mirrors).value = target.value;
    const slider = target.id && document.querySelector(`[data-mirrors="${CSS.escape(target.id)}"]`);
    if (slider) slider.value = target.value.replace("−", "-");
  }, true);

  document.addEventListener("change", ({ target }) => {
    if (!target.matches?.("[data-shows]")) return;
    for (const part of document.querySelectorAll(`[data-for^="${target.dataset.shows}-"]`)) {
      part.hidden = part.dataset.for !== `${target.dataset.shows}-${target.value}`;
    }
  });
})();
