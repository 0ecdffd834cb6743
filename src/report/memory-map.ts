// The process's memory as a picture: where program, heap, libraries and stacks lie, and the addresses that matter
// between them. Heights are no measure: an address space is nearly all holes.
import { formatBytes } from "../model/byte-text.ts";
import type { CrashSummary } from "../model/crash-summary.ts";
import type { ReportedCrash, ReportLimits } from "./reported-crash.ts";
import { html, type Html } from "./html.ts";
import { memoryRows, type MapRow, type Marker } from "./memory-rows.ts";
import { cutText, fileOf, parseAddress } from "./text.ts";

const ROW_PIXELS = 40;
const MARKER_PIXELS = 19;
const GAP_PIXELS = 6;
const NAME_MAX_CHARACTERS = 36;
/** The widest bar, in per cent of the picture. */
const BAR_MAX = 26;
const BAR_MIN = 4;

/** The section; nothing where no memory is known. */
export function memorySection({ summary }: ReportedCrash, limits: ReportLimits): Html {
  const areas = summary?.memory ?? [];
  if (summary === undefined || areas.length === 0) return html``;
  const rows = memoryRows(areas, markersOf(summary), limits.areas);
  return html`<section aria-labelledby="memory">
    <h2 id="memory">Memory map</h2>
    <p id="memory-text">
      ${sentence(rows)} Addresses grow downwards; a bar's length follows the logarithm of its size.
    </p>
    ${picture(rows)} ${modulesTable(summary, limits)}
  </section>`;
}

/** The addresses that a person looks for. */
function markersOf({ signal, crashing_thread: thread }: CrashSummary): Marker[] {
  const registers = thread?.registers ?? {};
  const found: [label: string, short: string, address: string | null | undefined][] = [
    ["fault address", "fault", signal?.fault_address],
    ["program counter", "pc", registers["rip"] ?? registers["pc"]],
    ["stack pointer", "sp", registers["rsp"] ?? registers["sp"]],
  ];
  return found.flatMap(([label, short, text]) => {
    const address = parseAddress(text);
    return address === undefined ? [] : [{ label, short, address }];
  });
}

function sentence(rows: readonly MapRow[]): string {
  const parts = rows.flatMap((row) =>
    row.markers.map(
      ({ label }) =>
        `the ${label} lies ${row.kind === "hole" ? "where nothing is mapped" : `in ${placeOf(row)}`}`,
    ),
  );
  const [first = "", ...rest] = parts;
  if (first === "") return "No address of this crash is known to lie in it.";
  return `${first.charAt(0).toUpperCase()}${[first.slice(1), ...rest].join("; ")}.`;
}

function placeOf({ kind, name }: MapRow): string {
  switch (kind) {
    case "program":
      return "the program";
    case "heap":
      return "the heap";
    case "stack":
      return `the stack of ${name ?? "a thread"}`;
    case "library":
      return cutText(fileOf(name ?? "a library"), 80);
    case "anonymous":
      return "memory without a name";
    case "hole":
      return "a hole";
  }
}

function picture(rows: readonly MapRow[]): Html {
  const largest = Math.max(1, ...rows.map(({ sizeBytes }) => logarithm(sizeBytes)));
  let y = 0;
  const pieces = rows.map((row) => {
    const height = ROW_PIXELS + row.markers.length * MARKER_PIXELS;
    const piece = rowPicture(
      row,
      y,
      height,
      (logarithm(row.sizeBytes) / largest) * (BAR_MAX - BAR_MIN) + BAR_MIN,
    );
    y += height + GAP_PIXELS;
    return piece;
  });
  return html`<svg
    class="map"
    role="img"
    aria-labelledby="memory-text"
    width="100%"
    height="${y}"
    xmlns="http://www.w3.org/2000/svg"
  >
    ${pieces}
  </svg>`;
}

function logarithm(sizeBytes: number): number {
  return Math.log2(Math.max(1, sizeBytes / 4096)) + 1;
}

function rowPicture(row: MapRow, y: number, height: number, width: number): Html {
  const { kind, markers, start, sizeBytes } = row;
  const size = kind === "hole" ? "" : `, ${formatBytes(sizeBytes)}`;
  const shownWidth = kind === "hole" ? BAR_MAX : width;
  return html`<rect
      class="${kind}"
      x="0"
      y="${y}"
      width="${shownWidth.toFixed(1)}%"
      height="${height}"
      rx="4"
    /><text class="area" x="30%" y="${y + 16}">${cutText(titleOf(row), NAME_MAX_CHARACTERS)}</text
    ><text class="range" x="30%" y="${y + 33}"
      >${kind === "hole" ? "nothing is mapped here" : `from 0x${start.toString(16)}${size}`}</text
    >${markers.map(
      ({ short, address }, index) =>
        html`<line
            class="marker"
            x1="0"
            x2="29%"
            y1="${y + ROW_PIXELS + index * MARKER_PIXELS + 6}"
            y2="${y + ROW_PIXELS + index * MARKER_PIXELS + 6}"
          /><text class="marker" x="30%" y="${y + ROW_PIXELS + index * MARKER_PIXELS + 11}"
            >◀ ${short} 0x${address.toString(16)}</text
          >`,
    )}`;
}

function titleOf({ kind, name, count }: MapRow): string {
  switch (kind) {
    case "program":
      return `program: ${fileOf(name ?? "")}`;
    case "heap":
      return "heap";
    case "stack":
      return count > 1 ? `${count} stacks` : `stack of ${name ?? "a thread"}`;
    case "library":
      return count > 1 ? `${count} libraries` : fileOf(name ?? "");
    case "anonymous":
      return count > 1 ? `${count} areas without a name` : "memory without a name";
    case "hole":
      return "hole";
  }
}

function modulesTable({ modules }: CrashSummary, { items, textCharacters }: ReportLimits): Html {
  if (modules.length === 0) return html``;
  const left = modules.length - items;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Programs and libraries">
      <table>
        <caption>
          Programs and libraries
        </caption>
        <thead>
          <tr>
            <th scope="col">File</th>
            <th scope="col">From</th>
            <th scope="col">Build id</th>
          </tr>
        </thead>
        <tbody>
          ${modules.slice(0, items).map(
            ({ path, start, build_id: id, other_build: other, package: note }) =>
              html`<tr>
                <td>
                  ${cutText(path, textCharacters)}${
                    note !== null && html`<br /><small>${cutText(note, 120)}</small>`
                  }
                </td>
                <td><code>${cutText(start, 20)}</code></td>
                <td>
                  <code>${cutText(id ?? "none", 64)}</code
                  >${other && " (the file at hand is another build)"}
                </td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${left > 0 && html`<p>And ${left} more, in the summary.</p>`}`;
}
