import { start } from "./program.ts";

await start("kubectl-kube_node");
