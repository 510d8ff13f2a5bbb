// What is compiled for people's machines, whatever their system: kubectl's plugin alone.
import { runKubectl } from "../src/kubectl/main.ts";

process.exit(await runKubectl(process.argv0, process.argv.slice(2), process.env));
