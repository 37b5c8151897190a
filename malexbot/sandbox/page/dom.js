// Elements, made of text and other elements and never of HTML.

export const byId = (id) => document.getElementById(id);

// `onclick` and its like are listeners; false, null and undefined leave a thing out.
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter(Boolean));
  return made;
}

// Makes the children of `list` show `items` in order. `draw(item)` makes an element
// anew, only when `look(item)`, a text, has changed; both know an item by its `id`.
export function sync(list, items, look, draw) {
  const old = new Map([...list.children].map((child) => [child.dataset.id, child]));
  let place = list.firstElementChild;
  for (const item of items) {
    let child = old.get(item.id);
    old.delete(item.id);
    const looks = look(item);
    if (!child || child.looks !== looks) {
      const fresh = draw(item);
      fresh.dataset.id = item.id;
      fresh.looks = looks;
      if (child) {
        if (place === child) place = fresh;
        exchange(child, fresh);
      }
      child = fresh;
    }
    if (child === place) place = place.nextElementSibling;
    else list.insertBefore(child, place);
  }
  for (const child of old.values()) child.remove();
}

// Who had the focus keeps it: buttons are known by their `data-key`.
function exchange(old, fresh) {
  const focused = old.contains(document.activeElement) && document.activeElement;
  const key = focused && focused.dataset.key;
  old.replaceWith(fresh);
  if (key) fresh.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
}

const CLOCK = new Intl.DateTimeFormat([], { timeStyle: "short" });
const SHORT = new Intl.DateTimeFormat([], {
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});
const SECONDS = new Intl.DateTimeFormat([], { timeStyle: "medium" });
const OLD = new Intl.DateTimeFormat([], {
  day: "numeric",
  month: "short",
  hour: "numeric",
  minute: "numeric",
});
const DAY = new Intl.DateTimeFormat([], {
  weekday: "long",
  day: "numeric",
  month: "long",
});
const WHOLE = new Intl.DateTimeFormat([], { dateStyle: "full", timeStyle: "medium" });

// `look`: as one says it, "short" where there is little room, or "whole": to the
// second, or with its day if that is not this one.
export function time(at, look = "") {
  const date = new Date(at);
  const precise = at >= new Date().setHours(0, 0, 0, 0) ? SECONDS : OLD;
  const format = { short: SHORT, whole: precise }[look] ?? CLOCK;
  const told = { datetime: date.toISOString(), title: WHOLE.format(date) };
  return el("time", told, format.format(date));
}

export function day(at) {
  const date = new Date(at);
  const midnight = new Date().setHours(0, 0, 0, 0);
  if (at >= midnight) return "Today";
  if (at >= midnight - 86_400_000) return "Yesterday";
  return DAY.format(date);
}

export const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;
