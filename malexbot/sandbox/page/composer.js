// Where one writes: a new message, a reply, or another text for an old message.

import { byId, el } from "./dom.js";
import { Hints } from "./hints.js";

const MOST_PX = 220;

export class Composer {
  // `acts` is {send(text), command(text), commands(), change(post, text), lastOwn(),
  // leave()}: `leave` is called by Escape when there is nothing to cancel here.
  constructor(acts) {
    this.acts = acts;
    this.words = byId("words");
    this.context = byId("context");
    this.button = byId("send");
    this.drafts = new Map();
    this.place = "";
    this.edited = null;
    this.hints = new Hints({
      words: this.words,
      known: acts.commands,
      take: (text) => this.suggest(text),
    });
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.words.addEventListener("input", () => {
      this.fit();
      if (!this.edited) this.hints.look(this.words.value);
    });
    this.words.addEventListener("keydown", (event) => this.pressed(event));
    this.fit();
  }

  // Each channel and thread has a draft of its own.
  go(place, placeholder) {
    this.words.placeholder = placeholder;
    if (place === this.place) return;
    this.cancel();
    this.drafts.set(this.place, this.words.value);
    this.place = place;
    this.put(this.drafts.get(place) ?? "");
  }

  focus() {
    this.words.focus({ preventScroll: true });
  }

  edit(post) {
    if (!this.edited) this.drafts.set(this.place, this.words.value);
    this.edited = post;
    this.button.textContent = "Save";
    this.context.replaceChildren(
      "You change what you said. ",
      el("button", { type: "button", onclick: () => this.cancel() }, "Cancel"),
    );
    this.context.hidden = false;
    this.put(post.message);
    this.focus();
  }

  cancel() {
    if (!this.edited) return;
    this.edited = null;
    this.button.textContent = "Send";
    this.context.hidden = true;
    this.put(this.drafts.get(this.place) ?? "");
  }

  // A command that was refused comes back, unless something else is written here.
  giveBack(text) {
    if (!this.words.value && !this.edited) this.put(text);
  }

  suggest(text) {
    this.put(text);
    this.hints.look(text);
    this.focus();
  }

  send() {
    // One that begins with a space is no command.
    const isCommand = /^\/\S/.test(this.words.value);
    const text = this.words.value.trim();
    const post = this.edited;
    if (!text) return;
    if (post) {
      this.cancel();
      if (text !== post.message) this.acts.change(post, text);
    } else {
      this.put("");
      if (isCommand) this.acts.command(text);
      else this.acts.send(text);
    }
    this.focus();
  }

  // A phone's return key begins a new line; its button sends.
  pressed(event) {
    if (event.isComposing || this.hints.pressed(event)) return;
    const isTouch = matchMedia("(hover: none) and (pointer: coarse)").matches;
    if (event.key === "Enter" && !event.shiftKey && !isTouch) {
      event.preventDefault();
      this.send();
    } else if (event.key === "ArrowUp" && !this.words.value && !this.edited) {
      const post = this.acts.lastOwn();
      if (post) this.edit(post);
      if (post) event.preventDefault();
    } else if (event.key === "Escape") {
      if (this.edited) this.cancel();
      else this.acts.leave();
    }
  }

  put(text) {
    this.words.value = text;
    this.words.setSelectionRange(text.length, text.length);
    this.hints.close();
    this.fit();
  }

  fit() {
    const { style } = this.words;
    style.height = "auto";
    style.height = `${Math.min(this.words.scrollHeight + 2, MOST_PX)}px`;
  }
}
