// A page from a file may have no storage: then the choice lasts as long as the page is open.
const key = "kube-node-map-theme";

/** A switch between light and dark, which begins as the system is, or as it was left. */
export function createThemeSwitch(button: HTMLButtonElement): void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;

  function isDark(): boolean {
    return root.dataset["theme"] ? root.dataset["theme"] === "dark" : system.matches;
  }

  function describe(): void {
    button.setAttribute("aria-pressed", String(isDark()));
  }

  const kept = remember();
  if (kept === "light" || kept === "dark") root.dataset["theme"] = kept;
  describe();
  system.addEventListener("change", describe);
  button.addEventListener("click", () => {
    root.dataset["theme"] = isDark() ? "light" : "dark";
    remember(root.dataset["theme"]);
    describe();
  });
}

function remember(theme?: string): string | null {
  try {
    if (theme !== undefined) localStorage.setItem(key, theme);
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
