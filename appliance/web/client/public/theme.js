// Before the first paint: the colours and the language chosen on this device, so that nothing flashes.
(function () {
  var chosen = {};
  try {
    chosen = JSON.parse(localStorage.getItem("fanal") || "{}") || {};
  } catch (error) {
    // storage is refused: the defaults of the page
  }
  var light = chosen.theme === "light" || (chosen.theme === "system" && matchMedia("(prefers-color-scheme: light)").matches);
  document.documentElement.setAttribute("data-theme", light ? "light" : "dark");
  if (chosen.language === "fr" || chosen.language === "en") document.documentElement.lang = chosen.language;
})();
