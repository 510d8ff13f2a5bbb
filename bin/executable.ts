// The one compiled executable: the name that it is called by says which program it is.
import { start } from "./program.ts";

await start(process.argv0.replace(/^.*[/\\]|\.exe$/g, ""));
