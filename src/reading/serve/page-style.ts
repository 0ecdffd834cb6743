// How the pages look: the report's style, and what they have beside it.
import { REPORT_STYLE } from "../../report/style.ts";

/** The style sheet, served by the pages' own address. */
export const PAGE_STYLE = `${REPORT_STYLE}
.skip{position:absolute;left:-999rem}.skip:focus{left:1rem;top:.5rem;background:var(--paper);padding:.4rem .8rem;z-index:2}
body>nav{display:flex;gap:1rem;align-items:center;justify-content:space-between;flex-wrap:wrap;background:var(--paper);border-bottom:1px solid var(--line);padding:.6rem max(1rem,calc(50vw - 36rem))}
.home{font-weight:650;font-size:1.1rem;color:var(--ink);text-decoration:none}
nav form{display:flex;gap:.5rem;align-items:center;flex:0 1 30rem}
nav label{position:absolute;left:-999rem}
main{max-width:74rem;outline:none}
main>h1{margin:.2rem 0 .8rem}
body>footer{max-width:74rem;margin:0 auto;padding:0 1rem 2rem}
input,select,button{font:inherit;font-size:.92rem;color:var(--ink);background:var(--paper);border:1px solid var(--faint);border-radius:7px;padding:.35rem .6rem;min-width:0}
nav input{flex:1}
select{max-width:12rem}
button{cursor:pointer;background:var(--ground)}
input:focus-visible,select:focus-visible,button:focus-visible{outline:3px solid var(--link);outline-offset:1px}
.filters{display:flex;flex-wrap:wrap;gap:.6rem .9rem;align-items:end;margin:0 0 1rem}
.filters label{display:flex;flex-direction:column;font-size:.8rem;color:var(--faint);gap:.15rem}
.bugs,.crashes{background:var(--paper);border:1px solid var(--line);border-radius:10px;border-collapse:separate;border-spacing:0;font-size:.93rem}
section .crashes{border:0}
.bugs th,.bugs td,.crashes th,.crashes td{padding:.6rem .8rem;vertical-align:top}
.bugs tbody tr:hover,.crashes tbody tr:hover{background:var(--ground)}
tbody tr:last-child>*{border-bottom:0}
tbody th{font-weight:500;color:inherit}
.bugs th[scope=row]{width:44%}
.bugs td:last-child{min-width:8rem}
.bugs th a,.crashes th a{text-decoration:none;font-weight:550}
.bugs th a:hover,.crashes th a:hover{text-decoration:underline}
.under{display:block;color:var(--faint);font-size:.84rem;font-weight:400;margin-top:.15rem}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td time{white-space:nowrap}
.faint{color:var(--faint)}
.value{display:block}.value .faint{white-space:nowrap}
.badge{display:inline-block;font-size:.75rem;font-weight:600;border-radius:99px;padding:.05rem .5rem;vertical-align:.1em;white-space:nowrap}
.badge.new{background:var(--soft);color:var(--accent)}
.badge.back{background:var(--mark);color:var(--mark-ink)}
.spark .some{fill:var(--link)}.spark .none{fill:var(--line)}
.notice{background:var(--mark);color:var(--mark-ink);border-radius:8px;padding:.6rem .9rem;margin:0 0 1rem}
.pager{display:flex;gap:1rem;margin:1rem 0;color:var(--faint)}
.sum{color:var(--faint);margin:.2rem 0 .4rem}
.more{margin:-.5rem 0 1rem;font-size:.93rem}
.crumbs{margin:0 0 .6rem;font-size:.92rem}
.files{columns:2 22rem;list-style:none;padding:0}
.files li{padding:.15rem 0}
.problem{margin-top:2rem}
@media(max-width:48rem){
.bugs thead,.crashes thead{position:absolute;left:-999rem}
.bugs tr,.crashes tr{display:flex;flex-direction:column;gap:.15rem;padding:.7rem .8rem;border-bottom:1px solid var(--line)}
.bugs tbody,.crashes tbody,.bugs,.crashes{display:block}
.bugs th[scope=row],.crashes th[scope=row]{width:auto;padding:0 0 .3rem}
.crashes th[scope=row]{order:-1}
.bugs td,.crashes td{padding:.1rem 0;border:0;text-align:left;display:flex;gap:.5rem;align-items:baseline}
.bugs th,.crashes th{border:0}
td[data-label]::before{content:attr(data-label);color:var(--faint);font-size:.8rem;flex:0 0 5.5rem}
select{max-width:9.5rem}
}
@media print{body>nav,.filters,.pager,.skip{display:none}}
`;
