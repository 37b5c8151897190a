// Which slash commands there are, shown while one is typed.

import { byId, el } from "./dom.js";

// So long a list of commands is good.
const FRESH_MS = 5_000;
const MOST = 8;

export class Hints {
  // `known()` gives the commands; `take(text)` is called with the one that was chosen.
  constructor({ words, known, take }) {
    Object.assign(this, { words, known, take });
    this.box = byId("hints");
    this.commands = [];
    this.readAt = -Infinity;
    this.at = -1;
    words.addEventListener("blur", () => this.close());
  }

  // What was typed so far; without a slash at its beginning there is nothing to show.
  async look(text) {
    this.typed = text;
    if (!text.startsWith("/")) {
      this.close();
      return;
    }
    if (performance.now() - this.readAt > FRESH_MS) {
      this.readAt = performance.now();
      this.commands = await this.known().catch(() => []);
    }
    if (this.typed === text) this.draw(text);
  }

  draw(text) {
    const [trigger] = text.slice(1).toLowerCase().split(/\s/, 1);
    const isWhole = /\s/.test(text);
    const fits = (command) =>
      isWhole ? command.trigger === trigger : command.trigger.startsWith(trigger);
    const found = this.commands.filter(fits).slice(0, MOST);
    this.at = -1;
    this.isWhole = isWhole;
    this.box.replaceChildren(...found.map((command, at) => this.row(command, at)));
    this.show(found.length > 0);
  }

  row(command, at) {
    const { trigger, auto_complete_hint: usage, auto_complete_desc: told } = command;
    const choose = (event) => {
      event.preventDefault();
      this.choose(at);
    };
    return el(
      "li",
      {
        id: `hint-${at}`,
        role: "option",
        "aria-selected": "false",
        "data-trigger": trigger,
        // Before the focus goes, and with it the list.
        onpointerdown: choose,
      },
      el("strong", {}, `/${trigger}`),
      usage && el("span", {}, usage),
      told && el("span", { class: "hint" }, told),
    );
  }

  show(isOpen) {
    this.box.hidden = !isOpen;
    if (!isOpen) this.words.removeAttribute("aria-activedescendant");
  }

  close() {
    this.typed = "";
    this.box.replaceChildren();
    this.show(false);
  }

  // Yes: the key was for the list.
  pressed(event) {
    if (this.box.hidden || this.isWhole) return false;
    const { length } = this.box.children;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.mark((this.at + step + length) % length);
    else if (event.key === "Tab" && !event.shiftKey) this.choose(Math.max(0, this.at));
    else if (event.key === "Enter" && this.at >= 0) this.choose(this.at);
    else if (event.key === "Escape") this.close();
    else return false;
    event.preventDefault();
    return true;
  }

  mark(at) {
    this.at = at;
    [...this.box.children].forEach((row, number) =>
      row.setAttribute("aria-selected", String(number === at)),
    );
    this.words.setAttribute("aria-activedescendant", `hint-${at}`);
    this.box.children[at].scrollIntoView({ block: "nearest" });
  }

  choose(at) {
    const { trigger } = this.box.children[at].dataset;
    this.take(`/${trigger} `);
  }
}
