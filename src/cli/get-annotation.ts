import { defineCommand, text, word } from "./command.ts";
import { accessInputs, readAccess } from "./my-node.ts";
import { readAnnotation } from "./own-node.ts";

export const getAnnotation = defineCommand({
  name: "get-annotation",
  summary: "the text of an annotation of a Node",
  inputs: {
    key: word("the annotation's key"),
    node: text("NAME", "another Node (default: this machine's)"),
    ...accessInputs,
  },
  examples: [
    ["kube-node get-annotation example.com/net1", "what this machine's Node says of a network"],
    ["kube-node get-annotation --node=worker-2 example.com/net1", "what another Node says of it"],
  ],
  fails: "there is no such annotation",
  async run({ key, node, ...how }, terminal) {
    terminal.say(await readAnnotation(key, node, await readAccess(how, terminal)));
    return 0;
  },
});
