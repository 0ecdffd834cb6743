// The Debian packages that the tests use, each with its reason. Building and the demo need none of them.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

export interface DebianPackage {
  name: string;
  /** A program or file by which its presence is known. */
  provides: string;
  reason: string;
}

export const DEBIAN_PACKAGES: readonly DebianPackage[] = [
  { name: "gcc", provides: "cc", reason: "builds the programs that crash" },
  { name: "libc6-dev", provides: "/usr/include/stdio.h", reason: "builds the programs that crash" },
  { name: "g++", provides: "g++", reason: "builds the programs that crash: C++" },
  { name: "clang", provides: "clang", reason: "builds the programs that crash: a second compiler" },
  { name: "musl-tools", provides: "musl-gcc", reason: "builds the programs that crash: musl" },
  {
    name: "gcc-aarch64-linux-gnu",
    provides: "aarch64-linux-gnu-gcc",
    reason: "builds the programs that crash: arm64",
  },
  {
    name: "libc6-dev-arm64-cross",
    provides: "/usr/aarch64-linux-gnu/include/stdio.h",
    reason: "builds the programs that crash: arm64",
  },
  { name: "gdb", provides: "gdb", reason: "reads the cores that were delivered" },
  { name: "unzip", provides: "unzip", reason: "reads the zips: Info-ZIP" },
  { name: "python3", provides: "python3", reason: "reads the zips: zipfile; image maker" },
  { name: "libarchive-tools", provides: "bsdtar", reason: "reads the zips: streaming reader" },
  { name: "qemu-user-static", provides: "qemu-aarch64-static", reason: "runs the arm64 builds" },
  {
    name: "libc6-arm64-cross",
    provides: "/usr/aarch64-linux-gnu/lib",
    reason: "runs the arm64 builds",
  },
  { name: "radosgw", provides: "radosgw", reason: "a real S3 server" },
  { name: "ceph-mon", provides: "ceph-mon", reason: "a real S3 server" },
  { name: "ceph-osd", provides: "ceph-osd", reason: "a real S3 server" },
  { name: "ceph-common", provides: "ceph-authtool", reason: "a real S3 server" },
  { name: "containerd", provides: "containerd", reason: "a real container runtime" },
  { name: "runc", provides: "runc", reason: "a real container runtime" },
  { name: "buildah", provides: "buildah", reason: "builds the image of Dockerfile.gnu" },
  { name: "ntfs-3g", provides: "ntfs-3g", reason: "a share with Windows' rules for names" },
  { name: "debuginfod", provides: "debuginfod-find", reason: "asks for modules: elfutils' client" },
  { name: "prometheus", provides: "promtool", reason: "fires the chart's alerts" },
  { name: "strace", provides: "strace", reason: "stops a process between two system calls" },
  { name: "chromium", provides: "chromium", reason: "shows reports and pages: a real browser" },
  {
    name: "fonts-dejavu-core",
    provides: "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    reason: "shows reports and pages: a font",
  },
  { name: "busybox-static", provides: "/bin/busybox", reason: "a shell in a container" },
];

/** Those that are not here. */
export function missingPackages(): DebianPackage[] {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return DEBIAN_PACKAGES.filter(({ provides }) =>
    provides.startsWith("/")
      ? !existsSync(provides)
      : !folders.some((folder) => existsSync(join(folder, provides))),
  );
}
