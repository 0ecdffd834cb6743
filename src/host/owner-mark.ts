// Whose a dump is, as an extended attribute of its file, as systemd-coredump keeps what it knows of a core: read with
// the file's inode, so that twenty thousand dumps are told apart without opening one. Only root can set it, as the
// files are root's. Where a filesystem has no such attributes, dump-info in the zip has to do (stored-dumps.ts).
import { parseOwner, formatOwner, type DumpOwner } from "../model/dump-owner.ts";
import { loadLibc } from "./libc.ts";

/** Short: next to a namespace's name it fits into the inode of ext4 and XFS. */
const NAME = Buffer.from("user.cdh.owner\0");
const MAX_BYTES = 128;

/** PATH_MAX, with its NUL. */
const PATH_MAX_BYTES = 4096;

let opened: ReturnType<typeof open> | undefined;
// One for all calls: thousands of files are asked in a row.
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

/** Marks an open file. False where its filesystem does not take it. */
export function markOwner(fd: number, owner: DumpOwner): boolean {
  const text = Buffer.from(formatOwner(owner));
  return libc().fsetxattr(fd, NAME, text, text.length, 0) === 0;
}

/** undefined for a file without a mark. Follows no link. */
export function readOwnerMark(path: string): DumpOwner | undefined {
  const end = pathname.write(path);
  if (end >= PATH_MAX_BYTES) return undefined;
  pathname[end] = 0;
  const length = Number(libc().lgetxattr(pathname, NAME, value, MAX_BYTES));
  return length <= 0 ? undefined : parseOwner(value.toString("utf8", 0, length));
}
