// `core-dump-handler completion SHELL`: makes the script that completes commands, options, their values, dumps, keys of
// the store, and a dump's entries.
import { shownOptions, type Command, type ShownOption } from "./command.ts";
import { SHELLS, type Shell } from "./shell.ts";

/** Returns the script that the shell sources, for these commands. */
export function completionFor(shell: Shell, commands: Readonly<Record<string, Command>>): string {
  return { bash, zsh, fish }[shell](complete(commands));
}

interface Completed {
  name: string;
  about: string;
  options: readonly ShownOption[];
  /** What the first operand may be beside a file. */
  operands: "dumps" | "keys" | "shells" | undefined;
  /** Whether the second operand is an entry of the dump. */
  takesEntry: boolean;
}

function complete(commands: Readonly<Record<string, Command>>): Completed[] {
  return Object.entries(commands).map(([name, { about, options, operands }]) => ({
    name,
    about,
    options: shownOptions(options),
    operands: name === "completion" ? "shells" : operands.are,
    takesEntry: name === "extract",
  }));
}

/** What the shells run to learn the words of an operand. A store that does not answer holds nobody up. */
const NAMES = {
  dumps: "core-dump-handler list --output name 2>/dev/null",
  keys: "timeout 3 core-dump-handler list --store --output name 2>/dev/null",
  shells: `printf "%s\\n" ${SHELLS.join(" ")}`,
} as const;
const ENTRIES = (file: string) => `unzip -Z1 ${file} 2>/dev/null`;

function withWords(options: readonly ShownOption[]): ShownOption[] {
  return options.filter(({ words }) => words.length > 0);
}

function bash(commands: readonly Completed[]): string {
  const cases = commands
    .map(({ name, options, operands }) => {
      const words = options.map((option) => `--${option.name}`).join(" ");
      const offered = operands === undefined ? "" : ` offer=${singleQuoted(NAMES[operands])}`;
      return `    ${name}) words="${words}"${offered} ;;`;
    })
    .join("\n");
  const values = commands
    .flatMap(({ name, options }) =>
      withWords(options).map(
        (option) => `    "${name} --${option.name}") given="${option.words.join(" ")}" ;;`,
      ),
    )
    .join("\n");
  const names = commands.map(({ name }) => name).join(" ");
  return `# core-dump-handler in bash: source <(core-dump-handler completion bash)
_core_dump_handler() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words="" offer="" given=""
  local command="\${COMP_WORDS[1]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${names} help --help --version" -- "$current"))
    return
  fi
  case "$command" in
${cases}
  esac
  case "$command $previous" in
${values}
  esac
  if [ -n "$given" ]; then
    COMPREPLY=($(compgen -W "$given" -- "$current"))
    return
  fi
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$words --help" -- "$current")); return ;;
  esac
  if [ "$command" = extract ] && [ "$COMP_CWORD" -eq 3 ]; then
    offer='${ENTRIES('"${COMP_WORDS[2]}"')}'
  elif [ "$COMP_CWORD" -ne 2 ]; then
    offer=""
  fi
  compopt -o default
  [ -n "$offer" ] || return
  # Names of dumps are the crashed program's: compgen -W would expand them, so each is compared and quoted as it is.
  local word
  while IFS= read -r word; do
    [[ "$word" == "$current"* ]] && printf -v word %q "$word" && COMPREPLY+=("$word")
  done < <(eval "$offer")
}
complete -F _core_dump_handler core-dump-handler
`;
}

function zsh(commands: readonly Completed[]): string {
  const names = commands.map(({ name, about }) => `    ${singleQuoted(`${name}:${about}`)}`);
  const cases = commands.map(({ name, options, operands }) => {
    const described = options.map((option) => singleQuoted(`--${option.name}:${option.about}`));
    const offered = operands === undefined ? "" : ` offer=${singleQuoted(NAMES[operands])}`;
    return `    ${name}) known=(${described.join(" ")})${offered} ;;`;
  });
  const values = commands.flatMap(({ name, options }) =>
    withWords(options).map(
      (option) => `    "${name} --${option.name}") given=(${option.words.join(" ")}) ;;`,
    ),
  );
  return `#compdef core-dump-handler
# core-dump-handler in zsh: source <(core-dump-handler completion zsh)
_core_dump_handler() {
  local -a names known given offered
  local offer=""
  names=(
${names.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command names
    return
  fi
  case "\${words[2]}" in
${cases.join("\n")}
  esac
  case "\${words[2]} \${words[CURRENT-1]}" in
${values.join("\n")}
  esac
  if (( \${#given} )); then
    compadd -a given
    return
  fi
  if [[ "$PREFIX" == -* ]]; then
    _describe option known
    return
  fi
  if [[ "\${words[2]}" == extract ]] && (( CURRENT == 4 )); then
    offered=(\${(f)"$(${ENTRIES('"${words[3]}"')})"})
  elif (( CURRENT == 3 )) && [[ -n "$offer" ]]; then
    offered=(\${(f)"$(eval "$offer")"})
  fi
  (( \${#offered} )) && compadd -a offered
  _files
}
compdef _core_dump_handler core-dump-handler
`;
}

function fish(commands: readonly Completed[]): string {
  const lines = commands.flatMap(({ name, about, options, operands, takesEntry }) => {
    const seen = `-n '__fish_seen_subcommand_from ${name}'`;
    const only = `complete -c core-dump-handler ${seen}`;
    return [
      `complete -c core-dump-handler -f -n __fish_use_subcommand -a ${name} -d ${singleQuoted(about)}`,
      ...options.map((option) => {
        const value = option.takesValue ? " -r" : "";
        const words = option.words.length > 0 ? ` -f -a '${option.words.join(" ")}'` : "";
        return `${only} -l ${option.name}${value}${words} -d ${singleQuoted(option.about)}`;
      }),
      ...(operands === undefined ? [] : [`${only} -a ${singleQuoted(`(${fishWords(operands)})`)}`]),
      ...(takesEntry
        ? [`${only} -a ${singleQuoted(`(${ENTRIES("(commandline -opc)[3]")})`)}`]
        : []),
    ];
  });
  return `# core-dump-handler in fish: core-dump-handler completion fish | source
${lines.join("\n")}
`;
}

function fishWords(operands: keyof typeof NAMES): string {
  return operands === "shells" ? `printf "%s\\n" ${SHELLS.join(" ")}` : NAMES[operands];
}

function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
