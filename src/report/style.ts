// How a report and the pages of `serve` look: light, dark, narrow and on paper.

const LIGHT = `--paper:#fff;--ground:#f4f5f7;--ink:#1c2024;--faint:#5b6370;--line:#d9dde3;--accent:#b3261e;--soft:#fbe9e7;--link:#0b57d0;--good:#1b6e3c;--likely:#8a5a00;--program:#0b57d0;--heap:#8a5a00;--stack:#1b6e3c;--library:#8e99a8;--anonymous:#c3cad4;--mark:#ffe08a;--mark-ink:#3b2f00`;
const DARK = `--paper:#1b1f24;--ground:#121519;--ink:#e8eaed;--faint:#a3abb6;--line:#343b45;--accent:#ff9a92;--soft:#3a2321;--link:#8ab4f8;--good:#7fd6a0;--likely:#f2c063;--program:#8ab4f8;--heap:#f2c063;--stack:#7fd6a0;--library:#6b7685;--anonymous:#454e5a;--mark:#5c4a00;--mark-ink:#ffeeb0`;

/** The style of a report. */
export const REPORT_STYLE = `
:root{color-scheme:light dark;${LIGHT}}
@media(prefers-color-scheme:dark){:root{${DARK}}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;overflow-wrap:anywhere}
main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 3rem}
a{color:var(--link)}
header{border-left:4px solid var(--accent);padding-left:1rem;margin:.5rem 0 1.5rem}
h1{font-size:1.5rem;line-height:1.3;margin:.1rem 0 .6rem;font-weight:650}
h2{font-size:1.05rem;margin:0 0 .7rem}
.kicker{margin:0;color:var(--accent);font-weight:600;font-size:.85rem}
.lead{margin:0;color:var(--ink);max-width:48rem}
q{font-style:italic}
section{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:1rem 1.1rem;margin:0 0 1rem}
section p{margin:.5rem 0 0;color:var(--faint);font-size:.9rem}
h2+p{margin:0 0 .7rem}
code,pre,.stack .name,.stack .offset,.registers dd{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.86em}
dl{margin:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(19rem,1fr));gap:.1rem 1.5rem}
dl div{display:flex;gap:.8rem;padding:.28rem 0;border-bottom:1px solid var(--line)}
dt{color:var(--faint);flex:0 0 6.2rem;font-size:.9rem}
dd{margin:0;flex:1;min-width:0}
.registers{grid-template-columns:repeat(auto-fill,minmax(12.5rem,1fr));gap:0 1.2rem}
.registers dt{flex-basis:2.6rem}
ol.stack,ul.threads{list-style:none;margin:0;padding:0}
.stack li{display:grid;grid-template-columns:2.2rem 1fr auto 6rem;gap:0 .7rem;align-items:baseline;padding:.38rem .3rem;border-bottom:1px solid var(--line)}
.stack li:first-child{background:var(--soft);border-radius:6px}
.stack .number{color:var(--faint);text-align:right;font-variant-numeric:tabular-nums;font-size:.85rem}
.stack .name{font-weight:550}
.stack .offset,.stack .times{color:var(--faint);font-weight:400}
.stack .module{color:var(--faint);font-size:.86rem;text-align:right}
.stack .trust{font-size:.82rem;white-space:nowrap}
.certain .trust{color:var(--good)}.likely .trust{color:var(--likely)}.guessed .trust{color:var(--accent)}
.stack .handled .name{color:var(--faint);font-style:italic}
.threads li{padding:.4rem 0;border-bottom:1px solid var(--line)}
.threads .who{display:block;color:var(--faint);font-size:.88rem}
pre{margin:.4rem 0 0;padding:.7rem .8rem;background:var(--ground);border:1px solid var(--line);border-radius:8px;overflow-x:auto;white-space:pre-wrap}
pre:focus-visible,.scroll:focus-visible,a:focus-visible{outline:3px solid var(--link);outline-offset:2px}
mark{background:var(--mark);color:var(--mark-ink);padding:.05rem .2rem;border-radius:3px}
ul,ol{padding-left:1.3rem;margin:0}
.commands li{margin:0 0 .6rem}
.map{display:block;margin:.2rem 0 1rem}
.map rect{stroke:none}
.map .program{fill:var(--program)}.map .heap{fill:var(--heap)}.map .stack{fill:var(--stack)}.map .library{fill:var(--library)}.map .anonymous{fill:var(--anonymous)}
.map .hole{fill:none;stroke:var(--accent);stroke-dasharray:5 4}
.map text{font:14px system-ui,"DejaVu Sans",sans-serif;fill:var(--ink)}
.map .area{font-weight:600}
.map .range{fill:var(--faint);font-size:12.5px}
.map text.marker{fill:var(--accent);font-weight:600;font-size:13px}
.map line{stroke:var(--accent);stroke-width:2}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.88rem}
caption{text-align:left;font-weight:600;padding:.3rem 0}
th{text-align:left;color:var(--faint);font-weight:500}
td code{white-space:nowrap}
td:first-child{min-width:11rem}
th,td{padding:.35rem .8rem .35rem 0;border-bottom:1px solid var(--line);vertical-align:top}
footer{color:var(--faint);font-size:.85rem;margin-top:1.5rem}
@media(max-width:40rem){main{padding:1rem .7rem 2rem}h1{font-size:1.25rem}section{padding:.8rem}dl{grid-template-columns:1fr}.stack li{grid-template-columns:1.6rem 1fr auto}.stack .name{grid-column:2/4}.stack .module{grid-column:2;text-align:left}.stack .trust{grid-column:3}}
@media print{:root{${LIGHT};--ground:#fff}body{font-size:11pt}main{max-width:none;padding:0}section{break-inside:auto;border:0;border-top:1px solid var(--line);border-radius:0;padding:.6rem 0}li,tr,dl div,h2{break-inside:avoid}h2{break-after:avoid}pre{white-space:pre-wrap}.scroll{overflow:visible}}
`;
