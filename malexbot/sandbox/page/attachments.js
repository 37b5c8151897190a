// What a program puts below its words: coloured blocks with fields, buttons, menus.

import { actions } from "./actions.js";
import { el } from "./dom.js";
import { link, words } from "./text.js";

const COLOURS = { good: "#2f8f4e", warning: "#c98a00", danger: "#c23b3b" };

export function attachments(post, { me, acting }, { act }) {
  const given = post.props?.attachments;
  if (!Array.isArray(given)) return null;
  return given
    .filter((each) => each && typeof each === "object")
    .map((each) => drawAttachment(post, each, { me, acting }, act));
}

function drawAttachment(post, attachment, { me, acting }, act) {
  const { pretext, author_name: author, title, title_link, text, footer } = attachment;
  const shown = el(
    "div",
    { class: "attachment" },
    author && el("p", { class: "hint" }, String(author)),
    title && el("p", { class: "heading" }, link(title_link, `${title}`) ?? `${title}`),
    text && el("div", { class: "text" }, words(String(text), me)),
    fields(attachment.fields, me),
    actions(post, attachment.actions, acting, act),
    footer && el("p", { class: "hint" }, String(footer)),
  );
  const colour = COLOURS[attachment.color] ?? attachment.color;
  if (/^#[0-9a-f]{3,6}$/i.test(colour ?? "")) shown.style.borderLeftColor = colour;
  const before = pretext && el("div", { class: "text" }, words(String(pretext), me));
  return el("div", {}, before, shown);
}

function fields(given, me) {
  if (!Array.isArray(given) || !given.length) return null;
  const cells = given.map((field) =>
    el(
      "div",
      { class: field.short ? "short" : "" },
      el("dt", {}, String(field.title ?? "")),
      el("dd", {}, words(String(field.value ?? ""), me)),
    ),
  );
  return el("dl", { class: "fields" }, cells);
}
