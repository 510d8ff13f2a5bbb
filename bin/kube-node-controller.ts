import { start } from "./program.ts";

await start("kube-node-controller");
