"""How the exported page looks: on a screen, light and dark, and on paper."""

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2330; --soft: #5d6677;
  --line: #dfe3ea; --shade: #f4f6f9; --link: #1757c2; --mark: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171d; --ink: #e4e8ef;
  --soft: #98a2b3; --line: #2c323d; --shade: #1d222b; --link: #8ab4ff;
  --mark: #ff8f85; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 3.2rem; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 46rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  overflow-wrap: anywhere; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
h1 { margin: 0; font-size: 1.6rem; line-height: 1.25; }
.about { margin: .3rem 0 1.5rem; color: var(--soft); }
nav { columns: 15rem auto; column-gap: 2rem; padding: .8rem 0; margin-bottom: 1rem;
  border-block: 1px solid var(--line); }
nav a { display: flex; gap: .6rem; justify-content: space-between; padding: .15rem 0;
  break-inside: avoid; }
nav span { color: var(--soft); white-space: nowrap;
  font-variant-numeric: tabular-nums; }
h2 { position: sticky; top: 0; z-index: 1; margin: 2.5rem 0 0; padding: .5rem 0;
  display: flex; gap: .6rem; align-items: baseline; font-size: 1.25rem;
  background: var(--paper); border-bottom: 1px solid var(--line); }
h2 small { color: var(--soft); font-size: .85rem; font-weight: 400; }
h2 .up { margin-left: auto; font-size: .85rem; font-weight: 400; }
h3 { margin: 1.6rem 0 .4rem; color: var(--soft); font-size: .85rem; font-weight: 600; }
article { padding: .35rem 0; content-visibility: auto;
  contain-intrinsic-size: auto 4.5rem; }
.post { padding: .3rem .6rem; margin: 0 -.6rem; border-radius: .4rem; }
.post:target { background: var(--shade); outline: 2px solid var(--link); }
.reply { margin-left: .2rem; padding-left: .9rem; border-left: 2px solid var(--line);
  border-radius: 0; }
.by { margin: 0; display: flex; flex-wrap: wrap; gap: 0 .6rem; align-items: baseline; }
.by, .files, .marks, summary, .begins { font-size: .85rem; color: var(--soft); }
.by b { font-size: 1rem; color: var(--ink); }
.by a { color: inherit; }
.text { white-space: pre-wrap; tab-size: 4; }
.text pre { margin: .3rem 0; padding: .6rem .8rem; white-space: pre-wrap;
  border-radius: .4rem; background: var(--shade); }
code, pre { font: .875em/1.45 ui-monospace, "DejaVu Sans Mono", monospace; }
code { padding: .1em .3em; border-radius: .25em; background: var(--shade); }
.extra { margin: .3rem 0; padding-left: .8rem; border-left: 3px solid var(--line);
  white-space: pre-wrap; }
.system .text { color: var(--soft); font-style: italic; }
.deleted .text { color: var(--soft); text-decoration: line-through; }
.gone { color: var(--mark); }
.marks, .files { margin: .25rem 0 0; padding: 0; display: flex; flex-wrap: wrap;
  gap: .3rem; list-style: none; }
.marks li, .files li { padding: .05rem .55rem; border: 1px solid var(--line);
  border-radius: 1rem; background: var(--shade); }
.begins { margin: .2rem 0; font-style: italic; }
details { margin-top: .2rem; }
summary { cursor: pointer; }
details .text { margin: .3rem 0 .3rem .2rem; padding-left: .8rem;
  border-left: 2px dashed var(--line); }
details time { font-size: .85rem; color: var(--soft); }
footer { margin-top: 3rem; padding-top: .8rem; border-top: 1px solid var(--line);
  color: var(--soft); font-size: .85rem; }
@media print {
  @page { margin: 18mm 16mm;
    @bottom-right { content: counter(page); font: 8pt system-ui, sans-serif; } }
  :root { color-scheme: light; --paper: #fff; --ink: #000; --soft: #444;
    --line: #bbb; --shade: #f2f2f2; --link: #000; --mark: #000; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  h2 { position: static; break-after: avoid; }
  h3, .by, .begins { break-after: avoid; }
  section + section { break-before: page; }
  article { content-visibility: visible; }
  .post { break-inside: avoid; orphans: 3; widows: 3; }
  .up, .link { display: none; }
  details::details-content { content-visibility: visible; height: auto; }
  details > :not(summary) { display: block; }
  .text a:not(.bare)::after, .files a::after { content: " (" attr(href) ")"; }
}
"""
