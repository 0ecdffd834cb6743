// Keeps a dump's owner in an extended attribute of its file, as systemd-coredump does for what it knows about a core.
// The attribute is in the inode, so that the owners of twenty thousand dumps can be read without opening one. Only
// root can set it, because root owns the files. On a filesystem without such attributes the owner comes from dump-info
// in the zip (stored-dumps.ts).
import { parseOwner, formatOwner, type DumpOwner } from "../model/dump-owner.ts";
import { loadLibc } from "./libc.ts";

/** The attribute's name, short enough to fit with a namespace's name into the inode of ext4 and XFS. */
const NAME = Buffer.from("user.cdh.owner\0");
const MAX_BYTES = 128;

/** PATH_MAX, with its NUL. */
const PATH_MAX_BYTES = 4096;

let opened: ReturnType<typeof open> | undefined;
// One buffer for all calls, because thousands of files are read in a row.
const value = Buffer.alloc(MAX_BYTES);
const pathname = Buffer.alloc(PATH_MAX_BYTES);

function open() {
  return loadLibc({
    fsetxattr: { args: ["i32", "ptr", "ptr", "u64", "i32"], returns: "i32" },
    lgetxattr: { args: ["ptr", "ptr", "ptr", "u64"], returns: "i64" },
  });
}

function libc() {
  opened ??= open();
  return opened;
}

/** Marks an open file. Returns false where the filesystem refuses the attribute. */
export function markOwner(fd: number, owner: DumpOwner): boolean {
  const text = Buffer.from(formatOwner(owner));
  return libc().fsetxattr(fd, NAME, text, text.length, 0) === 0;
}

/** Reads a file's mark without following a link; undefined for a file without one. */
export function readOwnerMark(path: string): DumpOwner | undefined {
  const end = pathname.write(path);
  if (end >= PATH_MAX_BYTES) return undefined;
  pathname[end] = 0;
  const length = Number(libc().lgetxattr(pathname, NAME, value, MAX_BYTES));
  return length <= 0 ? undefined : parseOwner(value.toString("utf8", 0, length));
}
