// What may be done with one message: a small menu beside it.

import { byId, el } from "./dom.js";
import { OFFERED, emoji } from "./emoji.js";

const GAP_PX = 4;

export class Menu {
  // `acts` is {react, reply, edit, remove}; what is null is not offered.
  constructor(acts) {
    this.acts = acts;
    this.box = null;
    document.addEventListener("pointerdown", (event) => {
      if (this.box && !this.box.contains(event.target)) this.close();
    });
  }

  // `item()` is the message's element by now: it may be drawn anew meanwhile.
  open(post, item, isMine) {
    this.close();
    this.from = () => item()?.querySelector("[data-key=more]");
    this.box = el(
      "div",
      { class: "menu", role: "menu", onkeydown: (event) => this.pressed(event) },
      el("div", { class: "faces", role: "group", "aria-label": "React" }, this.faces(post)),
      this.entry("Reply", () => this.acts.reply(post)),
      isMine && this.entry("Edit", () => this.acts.edit(post)),
      isMine && this.removal(post),
    );
    const stream = byId("stream");
    stream.append(this.box);
    const inner = stream.getBoundingClientRect();
    const button = this.from().getBoundingClientRect();
    const below = button.bottom + GAP_PX;
    const { offsetHeight } = this.box;
    const isAbove = below + offsetHeight > inner.bottom;
    const y = isAbove ? button.top - GAP_PX - offsetHeight : below;
    const top = Math.max(y, inner.top + GAP_PX) - inner.top + stream.scrollTop;
    this.box.style.top = `${top}px`;
    this.from().setAttribute("aria-expanded", "true");
    this.box.querySelector("button").focus({ preventScroll: true });
  }

  close() {
    if (!this.box) return;
    const hadFocus = this.box.contains(document.activeElement);
    this.box.remove();
    this.box = null;
    const button = this.from();
    button?.removeAttribute("aria-expanded");
    if (hadFocus) button?.focus({ preventScroll: true });
  }

  faces(post) {
    return OFFERED.map((name) => {
      const react = () => this.done(() => this.acts.react(post, name));
      const told = { role: "menuitem", "aria-label": name, title: `:${name}:` };
      return el("button", { type: "button", ...told, onclick: react }, emoji(name));
    });
  }

  entry(text, act) {
    const attributes = { type: "button", role: "menuitem", class: "entry" };
    return el("button", { ...attributes, onclick: () => this.done(act) }, text);
  }

  // Nothing brings a message back, so it is asked for twice.
  removal(post) {
    const button = el(
      "button",
      {
        type: "button",
        role: "menuitem",
        class: "entry danger",
        onclick: () => {
          if (button.dataset.asked) this.done(() => this.acts.remove(post));
          button.dataset.asked = "yes";
          button.textContent = "Delete for everybody?";
        },
      },
      "Delete",
    );
    return button;
  }

  done(act) {
    this.close();
    act();
  }

  pressed(event) {
    const buttons = [...this.box.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (step) buttons.at((at + step) % buttons.length).focus();
    else if (event.key === "Escape") this.close();
    else if (event.key === "Tab") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
