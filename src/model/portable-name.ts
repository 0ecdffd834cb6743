// Names that every file system and share can hold: ext4, NTFS, FAT, SMB, Azure Files, and an S3 key alike. A name that
// a share refuses would keep its dump on the node for ever. Source: "Naming Files, Paths, and Namespaces", Win32.

import { shortened } from "./shortened.ts";

/** NAME_MAX is 255 bytes nearly everywhere; room is left for suffixes such as `-12`. */
export const COMPONENT_MAX_BYTES = 240;
/** A length that fits on file systems with a lower limit: eCryptfs takes 143 bytes. */
const SHORT_MAX_BYTES = 120;

/** Windows keeps these as device names, with any extension and in any case. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i;
const EXTENSION = /\.[A-Za-z0-9]{1,8}$/;

/** Keeps ASCII letters, digits and `._-!@+=,`; every other character becomes `_`. */
export function portableText(text: string): string {
  return text.replace(/[^A-Za-z0-9._\-!@+=,]/gu, "_");
}

/**
 * Makes one path component of portable text: without a dot or dash at its beginning or a dot at its end, and no
 * device's name.
 */
export function portableComponent(text: string, maxBytes = COMPONENT_MAX_BYTES): string {
  const portable = portableText(text)
    .replace(/^[.-]+/, underscores)
    .replace(DEVICE, (device) => `_${device}`);
  return shortened(portable, maxBytes).replace(/\.+$/, underscores);
}

/** Makes such a component of a file's name. Cuts a name that is too long before its extension. */
export function portableFileName(name: string, maxBytes = COMPONENT_MAX_BYTES): string {
  const extension = EXTENSION.exec(name)?.[0] ?? "";
  const stem = name.slice(0, name.length - extension.length);
  return `${portableComponent(stem, maxBytes - extension.length)}${extension}`;
}

/** Makes a path or key of portable, short components. Delivery uses it after a store refused the original one. */
export function portableKey(key: string): string {
  return key
    .split("/")
    .map((component) => portableFileName(component, SHORT_MAX_BYTES) || "_")
    .join("/");
}

function underscores(run: string): string {
  return "_".repeat(run.length);
}
