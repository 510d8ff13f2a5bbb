import { start } from "./program.ts";

await start("nv-ipam");
