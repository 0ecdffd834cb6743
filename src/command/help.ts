// What `core-dump-handler --help` prints.

export const HELP = `core-dump-handler: gets the core dump of a crashed container off its node

usage
  core-dump-handler [agent]        install on this host, then upload finished dumps until told to stop
  core-dump-handler sweep [FILE]   upload every finished dump in CORE_DIR now, or just FILE
  core-dump-handler doctor         check everything that a crash needs on its way to the store, and prove
                                   it by a crash of our own; --json
  core-dump-handler install --config FILE
                                   set a plain host up (VM): program, systemd units, kernel; starts the agent
  core-dump-handler apply          put composer and kernel settings in place, and end (the early unit does this)
  core-dump-handler remove         restore the kernel's settings and delete what was installed;
                                   dumps that were not uploaded stay
      --when-uninstalled           only if the DaemonSet itself is going (for a preStop hook)
      --behind-uninstall           the same, asked until it is known (the chart's clean-up); --stay: wait then
  core-dump-handler await-removal DAEMONSET
                                   wait until that clean-up is done on every node; --within SECONDS
  core-dump-handler crash-test     crash a child on purpose and wait until its dump was delivered

  core-dump-handler list [FOLDER]      the dumps in CORE_DIR or FOLDER; --store: in the store;
                                   --since 24h, --namespace NS, --prefix KEY, --json
  core-dump-handler info FILE          who crashed, is it whole, what is inside, how to go on; --json
  core-dump-handler explain FILE       why it crashed, of a dump or any ELF core; --sysroot DIR, --modules DIR,
                                   --json
  core-dump-handler extract FILE [ENTRY]
                                   the core, or another entry, into a file (zeros take no room);
                                   --output FILE (- is stdout), --force
  core-dump-handler fetch KEY          a dump out of the store, resumable, verified; --output, --force
  core-dump-handler debug FILE [-- ARG…]
                                   gdb or lldb on the core, with ARGs

  core-dump-handler composer …     handle one crash (the kernel does this)
  core-dump-handler listen         take cores on the kernel's coredump socket (the agent starts this)
  core-dump-handler completion SHELL   completion for bash, zsh or fish
  core-dump-handler COMMAND --help more about one command
  core-dump-handler --help         this text
  core-dump-handler --version      the version

settings
  They come from the environment, then from a .env file beside the executable.
  HOST_DIR         where the composer is installed (/var/mnt/core-dump-handler)
  CORE_DIR         where dumps are kept until uploaded (HOST_DIR/cores)
  CAPTURE_MODE     how cores come: pipe, socket, file, or auto: the first that is seen to work
  INTERVAL         milliseconds between uploads; or SCHEDULE (cron); USE_INOTIFY goes with either.
                   None of the three: nothing is uploaded
  S3_BUCKET_NAME   the bucket, with S3_REGION, S3_ENDPOINT, S3_ACCESS_KEY, S3_SECRET
  STORE_URL        file:///a/directory instead of a bucket
  COMP_…           what the composer is told
  docs/operations.md explains them all, and every log line and exit code.

exit codes
  0 done   1 could not   2 wrong command line or settings, nothing was changed
`;
