// Draws what a terminal showed as an SVG that follows the reader's light or dark scheme. Knows the few escapes that this
// program uses: colours and bold.

/** A picture of lines of text; escapes set colours. `columns` is the terminal's width. */
export function drawTerminal(title: string, text: string, columns: number): string {
  const lines = text.trimEnd().split("\n");
  const width = Math.ceil(columns * CHARACTER_WIDTH + 2 * MARGIN);
  const height = Math.ceil(lines.length * LINE_HEIGHT + 2 * MARGIN + BAR_HEIGHT);
  const rows = lines.map((line, index) => {
    const y = BAR_HEIGHT + MARGIN + (index + 0.8) * LINE_HEIGHT;
    return `  <text x="${MARGIN}" y="${y.toFixed(1)}">${spans(line)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeMarkup(title)}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13">
  <style>
    .back { fill: #f6f8fa; stroke: #d0d7de }
    .dot { fill: #d0d7de }
    text { fill: #1f2328; white-space: pre }
    .prompt { fill: #0969da; font-weight: 600 }
    .bold { font-weight: 600 }
    .red { fill: #cf222e } .green { fill: #1a7f37 } .yellow { fill: #9a6700 } .faint { fill: #57606a }
    @media (prefers-color-scheme: dark) {
      .back { fill: #161b22; stroke: #30363d }
      .dot { fill: #30363d }
      text { fill: #f0f6fc }
      .prompt { fill: #4493f8 }
      .red { fill: #f85149 } .green { fill: #3fb950 } .yellow { fill: #d29922 } .faint { fill: #9198a1 }
    }
  </style>
  <rect class="back" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
  <circle class="dot" cx="20" cy="16" r="5"/><circle class="dot" cx="38" cy="16" r="5"/><circle class="dot" cx="56" cy="16" r="5"/>
${rows.join("\n")}
</svg>
`;
}

const CHARACTER_WIDTH = 7.83;
const LINE_HEIGHT = 18;
const MARGIN = 16;
const BAR_HEIGHT = 20;

const CLASSES: Readonly<Record<string, string>> = {
  "1": "bold",
  "2": "faint",
  "31": "red",
  "32": "green",
  "33": "yellow",
};

function spans(line: string): string {
  if (line.startsWith("$ ")) return `<tspan class="prompt">${escapeMarkup(line)}</tspan>`;
  let style = "";
  // Everything between two escapes has one style.
  return line
    .split(/(\u001b\[[\d;]*[mK])/)
    .map((part) => {
      const codes = /^\u001b\[([\d;]*)[mK]$/.exec(part)?.[1];
      if (codes === undefined)
        return style === "" || part === ""
          ? escapeMarkup(part)
          : `<tspan class="${style}">${escapeMarkup(part)}</tspan>`;
      style = codes
        .split(";")
        .flatMap((code) => CLASSES[code] ?? [])
        .join(" ");
      return "";
    })
    .join("");
}

function escapeMarkup(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
