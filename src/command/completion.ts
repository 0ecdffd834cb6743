// `core-dump-handler completion SHELL`: makes the script that completes commands, options and file names.
import { shownOptions, type Command } from "./command.ts";
import { SHELLS, type Shell } from "./shell.ts";

/** Returns the script that the shell sources, for these commands. */
export function completionFor(shell: Shell, commands: Readonly<Record<string, Command>>): string {
  return { bash, zsh, fish }[shell](complete(commands));
}

interface Completed {
  name: string;
  about: string;
  /** The options, with their dashes. */
  options: { word: string; about: string; takesValue: boolean }[];
}

function complete(commands: Readonly<Record<string, Command>>): Completed[] {
  return Object.entries(commands).map(([name, { about, options }]) => ({
    name,
    about,
    options: shownOptions(options).map((option) => ({ ...option, word: `--${option.name}` })),
  }));
}

function bash(commands: readonly Completed[]): string {
  const cases = commands
    .map(
      ({ name, options }) => `    ${name}) words="${options.map(({ word }) => word).join(" ")}" ;;`,
    )
    .join("\n");
  const names = commands.map(({ name }) => name).join(" ");
  return `# core-dump-handler in bash: source <(core-dump-handler completion bash)
_core_dump_handler() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${names} help --help --version" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
    completion) COMPREPLY=($(compgen -W "${SHELLS.join(" ")}" -- "$current")); return ;;
${cases}
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$words --help" -- "$current")) ;;
    *) compopt -o default ;;
  esac
}
complete -F _core_dump_handler core-dump-handler
`;
}

function zsh(commands: readonly Completed[]): string {
  const names = commands.map(({ name, about }) => `    ${singleQuoted(`${name}:${about}`)}`);
  const cases = commands.map(({ name, options }) => {
    const described = options.map(({ word, about }) => singleQuoted(`${word}:${about}`));
    return `    ${name}) known=(${described.join(" ")}) ;;`;
  });
  return `#compdef core-dump-handler
# core-dump-handler in zsh: source <(core-dump-handler completion zsh)
_core_dump_handler() {
  local -a names known
  names=(
${names.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command names
    return
  fi
  if [[ "\${words[2]}" == completion ]]; then
    compadd ${SHELLS.join(" ")}
    return
  fi
  case "\${words[2]}" in
${cases.join("\n")}
  esac
  if [[ "$PREFIX" == -* ]]; then
    _describe option known
  else
    _files
  fi
}
compdef _core_dump_handler core-dump-handler
`;
}

function fish(commands: readonly Completed[]): string {
  const lines = commands.flatMap(({ name, about, options }) => [
    `complete -c core-dump-handler -f -n __fish_use_subcommand -a ${name} -d ${singleQuoted(about)}`,
    ...options.map(
      ({ word, about: text, takesValue }) =>
        `complete -c core-dump-handler -n '__fish_seen_subcommand_from ${name}' -l ${word.slice(2)}${takesValue ? " -r" : ""} -d ${singleQuoted(text)}`,
    ),
  ]);
  return `# core-dump-handler in fish: core-dump-handler completion fish | source
${lines.join("\n")}
complete -c core-dump-handler -f -n '__fish_seen_subcommand_from completion' -a '${SHELLS.join(" ")}'
`;
}

function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
