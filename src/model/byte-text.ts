// Writes sizes as people read them.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Writes a number of bytes with a binary unit, 1536 as "1.5 KiB", with at most three significant digits. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < UNITS.length - 1; unit++) value /= 1024;
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit] ?? "B"}`;
}
