// The text that `core-dump-handler composer --help` and `cdc --help` print.

/** The text. */
export const COMPOSER_HELP = `core-dump-handler composer: takes one core from stdin and publishes it as a zip in CORE_DIR

usage
  cdc [flags] < core      the kernel does this for every crash, by kernel.core_pattern

flags, each as -c=V, -c V or --limit-size=V; the letter after % is core(5)'s
  -c --limit-size %c      -e --exe-name %e        -p --pid %p            -s --signal %s
  -t --timestamp %t       -h --hostname %h        -E --pathname %E       -u --uid %u
  -g --gid %g             -P --host-pid %P        -I --host-tid %I       -k --dumpable %d
  -F --pidfd %F
  -d --dir                where dumps go, unless .env says CORE_DIR
  -T --timeout            seconds; goes before .env's TIMEOUT
  -D --disable-compression

files, beside the executable
  .env                    settings, written by the agent
  composer.log            one JSON line a record; composer.log.1 is its predecessor

exit codes
  0 done, or skipped by the owner's rules   1 could not   32 the deadline passed, the zip is whole
  33 of a core in a file: no zip can hold all of it, the file has to stay
`;
