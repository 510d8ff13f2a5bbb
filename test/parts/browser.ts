import { type Browser, chromium } from "playwright-core";
import { firstProgram, inPath, type Tool } from "./tools.ts";

/** Debian's Chromium, or another; tests of pages are skipped where there is none. */
export function chromiumProgram(): Tool {
  return firstProgram(
    ["chromium", "chromium-browser", "google-chrome"].flatMap(inPath),
    "chromium (package chromium)",
  );
}

/** A headless browser that asks nobody for anything by itself. */
export async function launchBrowser(): Promise<Browser> {
  const { path } = chromiumProgram();
  if (path === undefined) throw new Error("there is no chromium here");
  return await chromium.launch({
    executablePath: path,
    args: [
      "--no-sandbox",
      "--headless",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
