// A dialog that a program opens before one: a form, sent, called off, complained of.

import { byId, el } from "./dom.js";
import { drawField } from "./fields.js";
import { words } from "./text.js";

export class DialogBox {
  // `submit(told, filled)` sends it (`filled` null: it was called off) and gives what
  // the program says: {error, errors}; `choices(source)` are for menus of users and
  // channels.
  constructor({ submit, choices }) {
    Object.assign(this, { submit, choices });
    this.frame = byId("dialog");
    this.told = null;
    // Escape.
    this.frame.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.cancel();
    });
  }

  open(told) {
    this.close();
    const { dialog } = told;
    this.told = told;
    this.fields = (dialog.elements ?? []).map((element, number) =>
      drawField(element, number, this.choices),
    );
    this.trouble = el("p", { class: "trouble", role: "alert" });
    this.send = el("button", { class: "primary" }, dialog.submit_label || "Submit");
    const cancel = el(
      "button",
      { type: "button", onclick: () => this.cancel() },
      "Cancel",
    );
    const form = el(
      "form",
      { novalidate: true, onsubmit: (event) => this.submitted(event) },
      el("h2", { id: "dialog-title", tabindex: "-1" }, dialog.title),
      el(
        "div",
        { class: "fields-of-dialog" },
        dialog.introduction_text &&
          el("div", { class: "text" }, words(dialog.introduction_text)),
        this.fields.map(({ box }) => box),
        this.trouble,
      ),
      el("p", { class: "ends" }, cancel, this.send),
    );
    this.frame.replaceChildren(form);
    this.frame.showModal();
    (this.fields[0] ?? { focus: () => this.send.focus() }).focus();
  }

  close() {
    this.told = null;
    this.frame.close();
    this.frame.replaceChildren();
  }

  async submitted(event) {
    event.preventDefault();
    if (this.send.disabled) return;
    const wrong = this.fields.map((field) => [field.name, field.check()]);
    if (this.complain(Object.fromEntries(wrong.filter(([, why]) => why)))) return;
    const filled = this.fields.map((field) => [field.name, field.value()]);
    const { told } = this;
    this.send.disabled = true;
    try {
      const { error, errors } = await this.submit(told, Object.fromEntries(filled));
      if (told !== this.told) return;
      if (!this.complain(errors ?? {}, error)) this.close();
    } catch (refused) {
      if (told === this.told) this.complain({}, refused.message);
    } finally {
      this.send.disabled = false;
    }
  }

  // Says at each field what is wrong with it, and the rest at the end; yes: there was
  // something.
  complain(errors, error = "") {
    const left = { ...errors };
    for (const field of this.fields) {
      field.complain(String(left[field.name] ?? ""));
      delete left[field.name];
    }
    const rest = [error, ...Object.values(left)].filter(Boolean);
    this.trouble.textContent = rest.join(" ");
    const first = this.fields.find(({ name }) => errors[name]);
    first?.focus();
    return Boolean(first || rest.length);
  }

  // The program is told only if it wants to know.
  cancel() {
    const { told } = this;
    this.close();
    if (!told?.dialog.notify_on_cancel) return;
    this.submit(told, null).catch(() => {
      // Nobody waits for it any more.
    });
  }
}
