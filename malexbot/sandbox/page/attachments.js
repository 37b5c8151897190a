// What a program puts below its words: coloured blocks with fields, buttons, menus.

import { el } from "./dom.js";
import { link, words } from "./text.js";

const STYLES = ["primary", "danger", "good", "warning", "success"];
const COLOURS = { good: "#2f8f4e", warning: "#c98a00", danger: "#c23b3b" };

export function attachments(post, me, { act }) {
  const given = post.props?.attachments;
  if (!Array.isArray(given)) return null;
  return given
    .filter((each) => each && typeof each === "object")
    .map((each) => drawAttachment(post, each, me, act));
}

function drawAttachment(post, attachment, me, act) {
  const { pretext, author_name: author, title, title_link, text, footer } = attachment;
  const shown = el(
    "div",
    { class: "attachment" },
    author && el("p", { class: "hint" }, String(author)),
    title && el("p", { class: "heading" }, link(title_link, `${title}`) ?? `${title}`),
    text && el("div", { class: "text" }, words(String(text), me)),
    fields(attachment.fields, me),
    actions(post, attachment.actions, act),
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

function actions(post, given, act) {
  if (!Array.isArray(given) || !given.length) return null;
  const drawn = given
    .filter((action) => action && action.id)
    .map((action) =>
      action.type === "select" ? menu(post, action, act) : button(post, action, act),
    );
  return el("p", { class: "actions" }, drawn);
}

function button(post, action, act) {
  const style = STYLES.includes(action.style) ? action.style : "";
  const attributes = {
    type: "button",
    class: style,
    disabled: action.disabled,
    "data-key": `act ${action.id}`,
    onclick: () => act(post, action.id, ""),
  };
  return el("button", attributes, String(action.name ?? action.id));
}

function menu(post, action, act) {
  const options = (Array.isArray(action.options) ? action.options : []).map((option) => {
    const selected = option.value === action.default_option;
    return el("option", { value: option.value, selected }, String(option.text));
  });
  const name = String(action.name ?? action.id);
  const attributes = {
    "aria-label": name,
    "data-key": `act ${action.id}`,
    onchange: (event) => act(post, action.id, event.target.value),
  };
  return el("select", attributes, el("option", { value: "" }, name), options);
}
