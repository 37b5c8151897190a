// Around the chat: the channels, who one is, and what a narrow screen shows.

import { byId, el, sync } from "./dom.js";

const SIGNS = { O: "#", P: "◆", D: "@", G: "@" };

export const sign = (channel) => SIGNS[channel.type] ?? "";

export function drawChannels(store, hereId) {
  const looks = (channel) => {
    const unread = store.unread.get(channel.id) ?? 0;
    return JSON.stringify([channel.id === hereId, unread, store.title(channel)]);
  };
  sync(byId("channels"), store.channels, looks, (channel) => {
    const unread = store.unread.get(channel.id);
    const attributes = { href: `#${channel.id}`, "data-key": "channel" };
    if (channel.id === hereId) attributes["aria-current"] = "page";
    const link = el(
      "a",
      { ...attributes, onclick: () => toggleRooms(false) },
      el("span", { class: "sign", "aria-hidden": "true" }, sign(channel)),
      el("span", { class: "name" }, store.title(channel)),
      unread && el("span", { class: "count" }, String(unread)),
    );
    return el("li", {}, link);
  });
}

// A narrow screen shows the chat or the archive.
export function view(name) {
  byId("frame").dataset.view = name;
  for (const each of ["chat", "archive"]) {
    byId(`show-${each}`).setAttribute("aria-pressed", String(each === name));
  }
}

function toggleRooms(isOpen) {
  byId("frame").classList.toggle("rooms-open", isOpen);
  byId("rooms").setAttribute("aria-expanded", String(isOpen));
}

export function listen() {
  for (const each of ["chat", "archive"]) {
    byId(`show-${each}`).addEventListener("click", () => view(each));
  }
  const isOpen = () => byId("frame").classList.contains("rooms-open");
  byId("rooms").addEventListener("click", () => toggleRooms(!isOpen()));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") toggleRooms(false);
  });
  document.addEventListener("click", ({ target }) => {
    const isInside = target.closest(".rooms, #rooms");
    if (isOpen() && !isInside) toggleRooms(false);
  });
}

// Who one is stays with the tab, so that two tabs can talk with each other.
export function choose(known) {
  const who = byId("who");
  who.append(...known.map(({ id, username }) => el("option", { value: id }, username)));
  const last = sessionStorage.getItem("who");
  who.value = known.some(({ id }) => id === last) ? last : known[0].id;
  who.addEventListener("change", () => {
    sessionStorage.setItem("who", who.value);
    location.reload();
  });
  return who.value;
}
