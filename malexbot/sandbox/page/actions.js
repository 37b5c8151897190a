// Buttons and menus below the words of a program.

import { el } from "./dom.js";

const STYLES = ["primary", "danger", "good", "warning", "success"];

// `state` is {busy, chosen, choices}: the ids of actions that are under way, what was
// chosen by their ids, and `choices(source)` for menus of users and channels.
// `act(post, action, option)` is called for what is pressed.
export function actions(post, given, state, act) {
  if (!Array.isArray(given) || !given.length) return null;
  const drawn = given
    .filter((action) => action && action.id)
    .map((action) =>
      action.type === "select"
        ? menu(post, action, state, act)
        : button(post, action, state, act),
    );
  return el("p", { class: "actions" }, drawn);
}

function button(post, action, { busy }, act) {
  const isBusy = busy.includes(action.id);
  const attributes = {
    type: "button",
    class: STYLES.includes(action.style) ? action.style : "",
    disabled: action.disabled || isBusy,
    "aria-busy": isBusy && "true",
    "data-key": `act ${action.id}`,
    onclick: () => act(post, action, ""),
  };
  return el("button", attributes, String(action.name ?? action.id));
}

function menu(post, action, { busy, chosen, choices }, act) {
  const isBusy = busy.includes(action.id);
  const name = String(action.name ?? action.id);
  const attributes = {
    "aria-label": name,
    "aria-busy": isBusy && "true",
    disabled: action.disabled || isBusy,
    "data-key": `act ${action.id}`,
    onchange: ({ target }) => target.value && act(post, action, target.value),
  };
  const value = chosen[action.id] ?? action.default_option ?? "";
  const known = offered(action, choices);
  return el("select", attributes, options(known, value, name));
}

// What may be chosen, as {value, text}.
export function offered({ data_source: source, options: given }, choices) {
  if (source === "users" || source === "channels") return choices(source);
  return (Array.isArray(given) ? given : []).filter((option) => option?.value);
}

// `none` is what stands there while nothing is chosen.
export function options(known, value, none) {
  const drawn = known.map((option) => {
    const selected = option.value === value;
    return el("option", { value: option.value, selected }, String(option.text));
  });
  return [el("option", { value: "" }, none), ...drawn];
}
