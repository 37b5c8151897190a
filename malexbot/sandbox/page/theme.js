// The theme: as the system has it, or as it was chosen. It runs before the page is
// drawn, so that nobody sees the other theme flash up.
"use strict";
(() => {
  const NEXT = { system: "light", light: "dark", dark: "system" };
  const SIGN = { system: "◐", light: "☀", dark: "☾" };
  const root = document.documentElement;

  function chosen() {
    try {
      const theme = localStorage.getItem("theme");
      return theme in NEXT ? theme : "system";
    } catch {
      return "system";
    }
  }

  function wear(theme) {
    root.dataset.theme = theme;
    const button = document.getElementById("theme");
    if (!button) return;
    button.textContent = SIGN[theme];
    button.title = `Theme: ${theme}`;
    button.setAttribute("aria-label", `Theme: ${theme}. Change to ${NEXT[theme]}.`);
  }

  wear(chosen());
  document.addEventListener("DOMContentLoaded", () => {
    wear(chosen());
    document.getElementById("theme").addEventListener("click", () => {
      const theme = NEXT[root.dataset.theme];
      try {
        localStorage.setItem("theme", theme);
      } catch {
        // It lasts until the page is left.
      }
      wear(theme);
    });
  });
})();
