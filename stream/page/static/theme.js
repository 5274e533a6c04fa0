/** The theme: the system's until the reader chooses the other. */

/** @returns {"light"|"dark"} what is shown now. */
export function shownTheme() {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "light" || chosen === "dark") return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** @param {() => void} changed is called after every change, since charts have to be drawn anew. */
export function watchTheme(changed) {
  const button = document.getElementById("theme");
  const name = () => {
    const other = shownTheme() === "dark" ? "light" : "dark";
    button.setAttribute("aria-label", `Change to the ${other} theme`);
    button.title = `Change to the ${other} theme (t)`;
  };
  button.addEventListener("click", () => {
    const other = shownTheme() === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = other;
    try {
      localStorage.setItem("riskstream-theme", other);
    } catch {
      // It holds for this visit then.
    }
    name();
    changed();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    name();
    changed();
  });
  name();
}

/**
 * @param {string} variable such as "--accent".
 * @returns {string} the colour it has in the theme that is shown, as a canvas takes it.
 */
export function colour(variable) {
  const probe = document.createElement("span");
  probe.style.color = `var(${variable})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
