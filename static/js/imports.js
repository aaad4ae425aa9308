// A file dropped on the zone lands in the form's own file field; without this script the field works by itself.
(function () {
  "use strict";
  for (const form of document.querySelectorAll("form[data-drop]")) {
    const zone = form.querySelector(".p-drop-zone");
    const field = form.querySelector("input[type=file]");
    const name = form.querySelector("[data-file-name]");
    const show = () => { name.textContent = field.files.length ? field.files[0].name : ""; };

    field.addEventListener("change", show);
    for (const kind of ["dragenter", "dragover"]) {
      zone.addEventListener(kind, (event) => {
        event.preventDefault();
        zone.classList.add("is-over");
      });
    }
    for (const kind of ["dragleave", "drop"]) {
      zone.addEventListener(kind, () => zone.classList.remove("is-over"));
    }
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      if (!event.dataTransfer.files.length) return;
      field.files = event.dataTransfer.files;
      show();
      form.requestSubmit();
    });
    // One file, one click: a second upload of the same would only be a second batch.
    form.addEventListener("submit", () => { form.querySelector("button").disabled = true; });
  }
})();
