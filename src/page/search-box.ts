import type { Block } from "../map/territory.ts";
import { make } from "./elements.ts";
import type { Find, Found } from "./finder.ts";

export type SearchHooks = {
  find(query: string, most: number): Found;
  onFound(blocks: ReadonlySet<Block> | undefined): void;
  onChoose(find: Find): void;
  /** Escape where nothing is typed. */
  onLeave(): void;
};

const most = 40;

/** The search as an ARIA combobox: the focus stays in the field, arrows walk through the list beneath it. `clear`: false if it was. */
export function createSearchBox(
  field: HTMLInputElement,
  list: HTMLElement,
  status: HTMLElement,
  hooks: SearchHooks,
): { clear(): boolean } {
  let finds: Find[] = [];
  let active = -1;

  function search(): void {
    const found = hooks.find(field.value, most);
    const isAsked = field.value.trim() !== "";
    finds = found.finds;
    active = finds.length > 0 ? 0 : -1;
    hooks.onFound(isAsked ? found.blocks : undefined);
    list.replaceChildren(...finds.map(drawFind));
    if (isAsked && finds.length === 0) list.append(make("div", { class: "nothing" }, "Nothing found"));
    if (found.count > finds.length)
      list.append(
        make("div", { class: "nothing" }, `and ${(found.count - finds.length).toLocaleString("en-US")} more`),
      );
    setOpen(isAsked);
    status.textContent = isAsked ? `${found.count} found` : "";
  }

  function drawFind({ kind, name, note }: Find, at: number): HTMLElement {
    const option = make(
      "div",
      { role: "option", id: `find-${at}`, "aria-selected": at === active, class: "find" },
      make("span", { class: `kind ${kind}` }, kind),
      make("span", { class: "name" }, name),
      make("span", { class: "note" }, note),
    );
    option.addEventListener("mousedown", (event) => {
      event.preventDefault();
      choose(at);
    });
    return option;
  }

  function setOpen(isOpen: boolean): void {
    list.hidden = !isOpen;
    field.setAttribute("aria-expanded", String(isOpen));
    showActive();
  }

  function showActive(): void {
    for (const [at, option] of [...list.querySelectorAll('[role="option"]')].entries()) {
      option.setAttribute("aria-selected", String(at === active));
      if (at === active && !list.hidden) option.scrollIntoView({ block: "nearest" });
    }
    if (active >= 0 && !list.hidden) field.setAttribute("aria-activedescendant", `find-${active}`);
    else field.removeAttribute("aria-activedescendant");
  }

  function choose(at: number): void {
    const find = finds[at];
    if (!find) return;
    setOpen(false);
    hooks.onChoose(find);
  }

  function clear(): boolean {
    if (field.value === "") return false;
    field.value = "";
    search();
    return true;
  }

  field.addEventListener("input", search);
  field.addEventListener("focus", () => field.value.trim() !== "" && search());
  field.addEventListener("blur", () => setOpen(false));
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") active = Math.min(active + 1, finds.length - 1);
    else if (event.key === "ArrowUp") active = Math.max(active - 1, 0);
    else if (event.key === "Enter") choose(active);
    else if (event.key === "Escape") {
      if (!clear()) hooks.onLeave();
    } else return;
    event.preventDefault();
    showActive();
  });

  return { clear };
}
