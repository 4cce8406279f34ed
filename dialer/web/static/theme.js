// Before the first paint: the theme this browser chose. No module, so that nothing flashes.
(() => {
  const theme = localStorage.getItem("theme");
  if (theme) document.documentElement.dataset.theme = theme;
})();
