// The calendar address goes to the clipboard; where the browser refuses, it is selected to be copied by hand.
(function () {
  "use strict";
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copies]");
    if (!button) return;
    const field = document.getElementById(button.dataset.copies);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      perennial.toast({ text: "The address is copied." });
    } catch {
      perennial.toast({ text: "It could not be copied. It is selected: press Ctrl C." });
    }
  });
})();
