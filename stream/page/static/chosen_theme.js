// Before anything is drawn, so that a page of the chosen theme never flashes in the other.
try {
  const chosen = localStorage.getItem("riskstream-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // A browser may refuse to remember; then the system's theme holds.
}
