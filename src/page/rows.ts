import type { Span } from "../address/range.ts";
import type { Block, Holder } from "../map/territory.ts";
import type { View } from "./view.ts";

/** Something in the picture that can be pointed at. `from` and `to` are parts of its row's width. */
export type Item = {
  /** The same for the same thing, whatever the layout. */
  readonly key: string;
  readonly from: number;
  readonly to: number;
  /** Classes of CSS. */
  readonly look: string;
  readonly name: string;
  readonly note: string;
  /** All that there is to say, for a screen reader and the tip. */
  readonly words: string;
  readonly span: Span;
  readonly blocks: readonly Block[];
  /** Of a single address, who has it. */
  readonly holders: readonly Holder[];
  /** What Enter opens. */
  readonly inside?: View;
};

/** A line of the page's picture; heights are in pixels. */
export type Row = {
  readonly kind: "head" | "tiles" | "gap";
  readonly height: number;
  /** The first address; of a head, the network. */
  readonly label: string;
  readonly words: string;
  readonly items: readonly Item[];
};
