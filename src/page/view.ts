import { formatCidr } from "../address/cidr.ts";
import type { Section } from "../map/sections.ts";
import type { Block, Territory } from "../map/territory.ts";

/** What is looked at: everything, one section of it, or the addresses of one block. */
export type View =
  | { readonly kind: "all" }
  | { readonly kind: "section"; readonly section: Section }
  | { readonly kind: "block"; readonly block: Block };

/** The view's place in the page's address, behind `#`. */
export function formatView(view: View): string {
  if (view.kind === "all") return "";
  const text =
    view.kind === "section" ? formatCidr(view.section.network) : `${view.block.text}@${view.block.node}`;
  return encodeURIComponent(text).replaceAll("%2F", "/").replaceAll("%3A", ":").replaceAll("%40", "@");
}

/** The view that formatView wrote; everything where there is none such. */
export function parseView(hash: string, { blocks, sections }: Territory): View {
  const all: View = { kind: "all" };
  const section = sections.find((section) => formatView({ kind: "section", section }) === hash);
  if (section) return { kind: "section", section };
  const block =
    hash === "" ? undefined : blocks.find((block) => formatView({ kind: "block", block }) === hash);
  return block ? { kind: "block", block } : all;
}

/** From everything down to the view, for the breadcrumbs; a section is a step only where there are several. */
export function wayTo(view: View, { sections }: Territory): View[] {
  const all: View = { kind: "all" };
  if (view.kind === "all") return [all];
  const section =
    view.kind === "section" ? view.section : sections.find(({ blocks }) => blocks.includes(view.block));
  const steps: View[] = section && sections.length > 1 ? [all, { kind: "section", section }] : [all];
  return view.kind === "block" ? [...steps, view] : steps;
}

export function nameView(view: View): string {
  if (view.kind === "all") return "All";
  return view.kind === "section" ? formatCidr(view.section.network) : `${view.block.node} ${view.block.text}`;
}
