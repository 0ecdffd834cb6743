// The core_pattern of file capture, and what the names of such files tell. The kernel resolves it in the crashing
// process's own root and writes with that process's rights (core(5)), so a container's user can make files of this
// name too: nothing here is proof of anything.

/** What every such pattern, and so every file, begins with. */
export const FILE_PATTERN_PREFIX = "/tmp/.cdh-core.";

/** Numbers first; then what the process chooses. 255 bytes at most, whatever they are: %e has 15, %h 64. */
export const FILE_PATTERN = `${FILE_PATTERN_PREFIX}%P.%I.%p.%s.%t.%c.%u.%g.%d.%e~%h`;
