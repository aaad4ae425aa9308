// A chart as PNG. Plotly's own would be drawn from a blob, which the policy refuses: here it is drawn from a data address.
(function () {
  "use strict";
  const SCALE = 2;

  async function savePng(button) {
    const tile = document.getElementById(button.dataset.savesPng);
    const place = tile.querySelector("[data-figure]");
    const { clientWidth: width, clientHeight: height } = place;
    const picture = new Image();
    picture.src = await Plotly.toImage(place, { format: "svg", width, height });
    await picture.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: width * SCALE, height: height * SCALE });
    const context = canvas.getContext("2d");
    context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--p-surface").trim();
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const link = document.createElement("a");
    link.download = `${tile.id}.png`;
    link.href = canvas.toDataURL("image/png");
    link.click();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-saves-png]");
    if (button) savePng(button);
  });
})();
