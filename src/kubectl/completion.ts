import { Argument, Command } from "commander";
import { addHelp, usualExits } from "./help.ts";
import type { Shell } from "./shell.ts";

type ShellName = "bash" | "zsh" | "fish";

/** kubectl's own completion asks kubectl_complete-kube_node; these scripts are for kubectl-kube_node called by its own name. */
export function completionCommand(shell: Shell): Command {
  const command = new Command("completion")
    .description("A script that lets a shell complete commands, flags, nodes and keys")
    .addArgument(new Argument("<shell>").choices(["bash", "zsh", "fish"]))
    .addHelpText(
      "after",
      `
It completes kubectl-kube_node. For "kubectl kube-node" load kubectl's own completion, and have kubectl_complete-kube_node
in PATH: a link to kubectl-kube_node, or a script of one line: exec kubectl-kube_node __complete "$@"`,
    )
    .action((name: ShellName) => shell.print(scripts[name]));
  return addHelp(
    command,
    [
      ["completion bash >/etc/bash_completion.d/kubectl-kube_node", "For bash"],
      ["completion zsh >/usr/local/share/zsh/site-functions/_kubectl-kube_node", "For zsh"],
      ["completion fish >~/.config/fish/completions/kubectl-kube_node.fish", "For fish"],
    ],
    usualExits,
  );
}

const scripts: Record<ShellName, string> = {
  // Bash breaks words at "=" and ":", so the line is split here by blanks, and what is before such a break is left out again.
  bash: `# bash completion for kubectl-kube_node
_kubectl_kube_node() {
  local line=\${COMP_LINE:0:COMP_POINT} words word answer directive candidate
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  word=\${words[\${#words[@]}-1]}
  COMPREPLY=()
  answer=$("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null) || return
  directive=\${answer##*:}
  (((directive & 2) != 0)) && compopt -o nospace
  (((directive & 4) != 0)) && compopt +o default || compopt -o default
  while IFS=$'\\t' read -r candidate _; do
    [[ -n $candidate && $candidate == "$word"* ]] || continue
    [[ $word == *[=:]* ]] && candidate=\${candidate#"\${word%"\${word##*[=:]}"}"}
    COMPREPLY+=("$candidate")
  done <<<"\${answer%:*}"
}
complete -F _kubectl_kube_node kubectl-kube_node`,
  zsh: `#compdef kubectl-kube_node
_kubectl-kube_node() {
  local -a lines candidates
  local line directive tab=$'\\t'
  lines=("\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  directive=\${lines[-1]#:}
  for line in "\${(@)lines[1,-2]}"; do candidates+=("\${\${line//:/\\\\:}/$tab/:}"); done
  if (((directive & 2) != 0)); then _describe 'candidate' candidates -S ''; else _describe 'candidate' candidates; fi
  (((directive & 4) != 0)) || _files
}
if [[ $funcstack[1] == _kubectl-kube_node ]]; then _kubectl-kube_node; else compdef _kubectl-kube_node kubectl-kube_node; fi`,
  fish: `# fish completion for kubectl-kube_node
function __kubectl_kube_node_complete
    set -l words (commandline -opc)
    set -l answer (kubectl-kube_node __complete $words[2..-1] (commandline -ct) 2>/dev/null)
    string match -v -r '^:\\d+$' -- $answer
    string match -q ':0' -- $answer[-1]; and __fish_complete_path (commandline -ct)
end
complete -c kubectl-kube_node -f -a '(__kubectl_kube_node_complete)'`,
};
