// Trims Tabler's stylesheet to what pmcycle's pages may use, so that a first page stays light.
// Whole families are kept (a template may use any class of a family without a rebuild);
// everything else is kept only if a template, our script or our Python names it.
// Used by vendor.py:  node trim.mjs <tabler.css> <out.css> <repository root>
import { readFile, writeFile } from "node:fs/promises";
import { PurgeCSS } from "purgecss";

const [source, target, root] = process.argv.slice(2);

const families = [
  // bare elements
  /^(html|body|main|header|footer|nav|aside|section|article|address|a|p|h[1-6]|hr|ul|ol|li|dl|dt|dd|pre|code|kbd|samp|small|strong|b|em|i|mark|sub|sup|abbr|blockquote|q|del|ins|figure|figcaption|img|svg|picture|video|table|caption|thead|tbody|tfoot|tr|th|td|label|button|input|optgroup|option|output|select|textarea|fieldset|legend|form|iframe|summary|details|dialog|progress|meter|template|time|address|data)$/,
  // layout
  /^container(-(fluid|sm|md|lg|xl|narrow|tight))?$/, /^row(-(cards|deck|cols-\w+))?$/, /^col(-|$)/, /^offset-/, /^g[xy]?-/,
  /^(m|p)[tbsexy]?(-(sm|md|lg|xl))?-(\d|auto)$/, /^gap(-|$)/, /^d-/, /^flex-/, /^align-/, /^justify-/, /^order-/,
  /^(w|h|mw|mh)-(25|50|75|100|auto)$/, /^position-/, /^(top|bottom|start|end)-(0|50|100)$/, /^overflow-/, /^float-/, /^sticky-/,
  /^hr(-text)?$/, /^divide-/, /^space-/, /^vr$/, /^hstack$/, /^vstack$/,
  // words
  /^h[1-6]$/, /^fs-/, /^fw-/, /^lh-/, /^font-monospace$/, /^lead$/, /^small$/, /^list-/, /^text-(start|end|center|nowrap|wrap|break|truncate|uppercase|capitalize|secondary|muted|body|reset|decoration-none|danger|success|warning|primary|sm-\w+|md-\w+|lg-\w+)$/,
  /^markdown$/, /^blockquote/, /^subheader$/, /^visually-hidden/, /^stretched-link$/, /^link-secondary$/, /^cursor-/,
  // parts
  /^card/, /^btn(-(primary|secondary|danger|success|warning|outline-primary|outline-secondary|outline-danger|ghost-primary|ghost-secondary|ghost-danger|link|icon|sm|lg|list|group|close|action|check|actions|square|pill))?$/,
  /^badge(-(sm|lg|pill))?$/, /^badges-list$/, /^alert(-|$)/, /^table(-(responsive.*|vcenter|nowrap|sm|striped|hover|borderless|mobile.*|active|sort|selectable|group-divider|transparent))?$/,
  /^form-/, /^input-(group|icon).*/, /^(is|was)-(in)?valid(ated)?$/, /^(in)?valid-feedback$/, /^col-form-label.*/,
  /^nav(-(item|link|tabs|pills|underline|fill|justified|vertical))?$/, /^page-(item|link)$/, /^pagination/, /^breadcrumb/,
  /^progress(-(bar|sm|xs|lg))?$/, /^datagrid/, /^empty/, /^spinner-border(-sm)?$/, /^placeholder(-glow|-xs|-sm)?$/,
  /^border(-(0|top|bottom|start|end|top-0|bottom-0))?$/, /^rounded(-(0|1|2|3|circle|pill))?$/, /^shadow(-(none|sm|lg))?$/, /^opacity-/,
  /^(active|disabled|show|collapse|collapsed)$/, /^d-print-/,
];

const [result] = await new PurgeCSS().purge({
  css: [{ raw: await readFile(source, "utf8") }],
  content: [`${root}/templates/**/*.html`, `${root}/*/templates/**/*.html`, `${root}/static/js/*.js`, `${root}/pmcycle/ui/*.py`],
  safelist: { standard: [...families, /^:root$/], deep: [] },
  blocklist: [/^(avatar|ribbon|carousel|datepicker|dropdown|modal|offcanvas|navbar|toast|accordion|tooltip|steps|stepper|timeline|status|tracking|chat|signature|star-rating|payment|flag|social)/],
  keyframes: true,
  variables: false,
});
// A dark rule that tests an attribute stays because it names no class.
await writeFile(target, result.css);
