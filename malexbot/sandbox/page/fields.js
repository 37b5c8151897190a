// The fields of a dialog: drawn, read, and checked as Mattermost's own page does.

import { offered, options } from "./actions.js";
import { el } from "./dom.js";

const SUBTYPES = ["email", "number", "password", "tel", "url"];
const LONGEST = { text: 150, textarea: 3000 };
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const CHECKS = {
  email: [(text) => EMAIL.test(text), "This has to be a mail address."],
  number: [(text) => text !== "" && Number.isFinite(Number(text)), "This has to be a number."],
  url: [(text) => /^https?:\/\//i.test(text), "This has to begin with http:// or https://."],
};

// One field: {name, box, value(), check()}. `value()` is what is sent; `check()` gives
// what is wrong with it, or "".
export function drawField(element, number, choices) {
  const id = `field-${number}`;
  const make = { textarea, select, radio, bool }[element.type] ?? text;
  const made = make(element, id, choices);
  const error = el("p", { class: "trouble", id: `${id}-error`, hidden: true });
  const help = element.help_text && el("p", { class: "hint", id: `${id}-help` }, element.help_text);
  const isGroup = element.type === "radio";
  const name = [
    element.display_name || element.name,
    element.optional && el("span", { class: "hint" }, " (optional)"),
  ];
  const label = isGroup
    ? el("legend", {}, name)
    : el("label", { for: id }, name);
  const box = el(
    isGroup ? "fieldset" : "div",
    { class: "field" },
    label,
    made.control,
    help,
    error,
  );
  const inputs = [...box.querySelectorAll("input, select, textarea")];
  const describe = () => {
    const described = [help && help.id, !error.hidden && error.id].filter(Boolean);
    for (const input of inputs) {
      input.setAttribute("aria-invalid", String(!error.hidden));
      input.setAttribute("aria-describedby", described.join(" "));
    }
  };
  describe();
  return {
    name: element.name,
    box,
    value: made.value,
    check: () => problem(element, made.value()),
    complain(why) {
      error.textContent = why;
      error.hidden = !why;
      describe();
    },
    focus: () => inputs[0]?.focus(),
  };
}

function problem(element, value) {
  const isEmpty = value === null || value === false || value === "";
  if (isEmpty) return element.optional ? "" : "This field is required.";
  if (typeof value === "boolean") return "";
  const told = String(value);
  if (told.length < element.min_length) return `At least ${element.min_length} characters.`;
  const [isFine, why] = CHECKS[element.subtype] ?? [];
  return element.type === "text" && isFine && !isFine(told) ? why : "";
}

function text(element, id) {
  const { subtype } = element;
  const isNumber = subtype === "number";
  const control = el("input", {
    ...worded(element, id, "text"),
    // A browser would hide from us what is no number.
    type: isNumber || !SUBTYPES.includes(subtype) ? "text" : subtype,
    inputmode: isNumber && "decimal",
    value: element.default,
  });
  const value = () => {
    const told = control.value;
    if (!told) return null;
    return isNumber && Number.isFinite(Number(told)) ? Number(told) : told;
  };
  return { control, value };
}

function textarea(element, id) {
  const attributes = { ...worded(element, id, "textarea"), rows: 4 };
  const control = el("textarea", attributes, element.default);
  return { control, value: () => control.value || null };
}

function worded(element, id, kind) {
  return {
    id,
    placeholder: element.placeholder,
    maxlength: element.max_length || LONGEST[kind],
    autocomplete: "off",
  };
}

function select(element, id, choices) {
  const none = element.placeholder || "Choose…";
  const known = offered(element, choices);
  const control = el("select", { id }, options(known, element.default, none));
  return { control, value: () => control.value || null };
}

function radio(element, id, choices) {
  const drawn = offered(element, choices).map(({ value, text: told }) => {
    const checked = value === element.default;
    const input = el("input", { type: "radio", name: id, value, checked });
    return el("label", { class: "choice" }, input, ` ${told}`);
  });
  const control = el("div", { class: "choices" }, drawn);
  const value = () => control.querySelector("input:checked")?.value ?? null;
  return { control, value };
}

function bool(element, id) {
  const checked = element.default === "true";
  const input = el("input", { type: "checkbox", id, checked });
  const told = element.placeholder || "Yes";
  const control = el("label", { class: "choice" }, input, ` ${told}`);
  return { control, value: () => input.checked };
}
