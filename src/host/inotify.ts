// A thin layer over inotify(7), in place of fs.watch: names are bytes, a watch is in place when watch() returns, it
// belongs to an open directory and not to a path, and only the wanted events cost anything.
import { closeSync } from "node:fs";
import { lazyLibc } from "./libc.ts";

const IN_MOVED_TO = 0x80;
const IN_CREATE = 0x100;
const IN_DELETE = 0x200;
const IN_Q_OVERFLOW = 0x4000;
const IN_IGNORED = 0x8000;
const IN_ONLYDIR = 0x1000000;
const NONBLOCK_CLOEXEC = 0o2004000;
/** Room for some 2,000 events. Later events wait in the kernel's queue, which reports an overflow. */
const READ_BYTES = 64 * 1024;

/** What the kernel reported. */
export type InotifyEvent =
  /** A name appeared in the watch's directory, or, with andGo, vanished from it. */
  | { kind: "name"; watch: number; name: Buffer }
  /** The directory was removed, and the watch with it. */
  | { kind: "gone"; watch: number }
  /** The kernel lost events. */
  | { kind: "overflow" };

const libc = lazyLibc({
  inotify_init1: { args: ["i32"], returns: "i32" },
  inotify_add_watch: { args: ["i32", "ptr", "u32"], returns: "i32" },
  inotify_rm_watch: { args: ["i32", "i32"], returns: "i32" },
  read: { args: ["i32", "ptr", "u64"], returns: "i64" },
});

/** One inotify instance. */
export class Inotify {
  private readonly fd: number;
  private readonly buffer = Buffer.alloc(READ_BYTES);

  private constructor(fd: number) {
    this.fd = fd;
  }

  /** Throws where the user has too many instances (fs.inotify.max_user_instances). */
  static open(): Inotify {
    const fd = libc().inotify_init1(NONBLOCK_CLOEXEC);
    if (fd < 0) throw new Error("inotify_init1 failed: fs.inotify.max_user_instances?");
    return new Inotify(fd);
  }

  /**
   * Watches an open directory for names that appear, with `andGo` also for names that vanish. Returns the watch's
   * number, which is the same when a directory is watched again. Throws where the user has too many watches
   * (fs.inotify.max_user_watches).
   */
  watch(directory: number, { andGo = false } = {}): number {
    const mask = IN_CREATE | IN_MOVED_TO | IN_ONLYDIR | (andGo ? IN_DELETE : 0);
    const path = Buffer.from(`/proc/self/fd/${directory}\0`);
    const watch = libc().inotify_add_watch(this.fd, path, mask);
    if (watch < 0) throw new Error("inotify_add_watch failed: fs.inotify.max_user_watches?");
    return watch;
  }

  unwatch(watch: number): void {
    libc().inotify_rm_watch(this.fd, watch);
  }

  /** Returns the events since the last call, as many as fit. Never waits. */
  read(): InotifyEvent[] {
    const count = Number(libc().read(this.fd, this.buffer, this.buffer.length));
    const events: InotifyEvent[] = [];
    // struct inotify_event: wd, mask, cookie, the name's length, the name filled up with NULs.
    for (let at = 0; at + 16 <= count;) {
      const watch = this.buffer.readInt32LE(at);
      const mask = this.buffer.readUInt32LE(at + 4);
      const end = at + 16 + this.buffer.readUInt32LE(at + 12);
      if ((mask & IN_Q_OVERFLOW) !== 0) events.push({ kind: "overflow" });
      else if ((mask & IN_IGNORED) !== 0) events.push({ kind: "gone", watch });
      else events.push({ kind: "name", watch, name: nameIn(this.buffer.subarray(at + 16, end)) });
      at = end;
    }
    return events;
  }

  close(): void {
    closeSync(this.fd);
  }
}

function nameIn(field: Buffer): Buffer {
  const end = field.indexOf(0);
  return Buffer.from(end === -1 ? field : field.subarray(0, end));
}
