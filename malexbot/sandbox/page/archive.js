// The archive beside the chat: how the bot is, and the rows that it keeps.

import { byId, count, el, sync, time } from "./dom.js";
import { emojiOrName } from "./emoji.js";
import { words } from "./text.js";

const BUTTONS = {
  kill: ["Kill the bot", "As by kill -9; it stays away until you start it again"],
  start: ["Start it again", "It reads what it has missed"],
  cut: ["Cut its line", "For five seconds"],
};
const ADVICE = {
  down: "Say something to it all the same, then start it again.",
  listening: "Kill the bot, write three messages, start it again: each turns to ✓ kept.",
};
const GLOW_MS = 2_000;

export class ArchiveColumn {
  // `order(what)` does something to the bot.
  constructor({ store, feed, order }) {
    Object.assign(this, { store, feed, order });
    this.list = byId("rows");
    this.state = byId("state");
  }

  // `posts` are those of the chat, `title` is the channel's.
  draw(posts, title) {
    byId("frame").classList.toggle("alone", !this.feed.isThere && !this.feed.isLost);
    const waiting = posts.filter((post) => this.feed.mark(post) === "waits").length;
    const [mood, text] = this.tell(waiting, title);
    if (this.state.textContent !== text) this.state.textContent = text;
    this.state.dataset.mood = mood;
    byId("show-archive").dataset.mood = mood;
    this.feed.isBusy = waiting > 0 && this.feed.seen.bot !== "down";
    byId("advice").textContent = ADVICE[this.feed.seen.bot] ?? "";
    this.offer();
    this.drawRows();
  }

  tell(waiting, title) {
    const { bot, archive } = this.feed.seen;
    const left = count(waiting, "message waits", "messages wait");
    if (this.feed.isLost) return ["bad", "Nobody answers here."];
    if (bot === "down" && !waiting) return ["bad", "The bot is down."];
    if (bot === "down") return ["bad", `The bot is down; ${left}.`];
    if (!archive) return ["bad", "The archive's database is away."];
    if (bot === "connecting" && !waiting) return ["busy", "The bot is connecting."];
    if (bot === "connecting") return ["busy", `The bot is connecting; ${left}.`];
    if (waiting) return ["busy", `Catching up: ${left}.`];
    const kept = [...this.feed.rows.values()].length;
    if (this.feed.seen.mark_at === null) return ["busy", `The bot does not read ${title}.`];
    return ["good", `Complete: ${count(kept, "message", "messages")} kept.`];
  }

  offer() {
    const offered = this.feed.seen.may.map((what) => ({ id: what }));
    sync(byId("orders"), offered, (item) => item.id, ({ id }) => {
      const [text, title] = BUTTONS[id];
      const attributes = { type: "button", title, "data-key": id };
      return el("button", { ...attributes, onclick: () => this.order(id) }, text);
    });
  }

  drawRows() {
    const rows = [...this.feed.rows.values()];
    const looks = (row) => JSON.stringify([row, this.store.name(row.user_id)]);
    sync(this.list, rows, looks, (row) => this.drawRow(row));
  }

  drawRow(row) {
    const earlier = row.earlier.map((text) => el("li", {}, text));
    return el(
      "li",
      { class: row.delete_at ? "row deleted" : "row", tabindex: "-1" },
      el(
        "p",
        { class: "meta" },
        time(row.create_at, "whole"),
        el("strong", {}, this.store.name(row.user_id)),
        row.root_id && el("span", {}, "↳ reply"),
        row.edit_at && el("span", { class: "tag" }, "edited"),
        row.delete_at &&
          el("span", { class: "tag danger" }, "deleted ", time(row.delete_at)),
      ),
      el("div", { class: "text" }, words(row.message)),
      earlier.length && el("ol", { class: "earlier", "aria-label": "Before" }, earlier),
      row.reactions.length &&
        el("p", { class: "faces" }, row.reactions.map(emojiOrName).join(" ")),
    );
  }

  show(postId) {
    const row = this.list.querySelector(`[data-id="${CSS.escape(postId)}"]`);
    if (!row) return;
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    row.scrollIntoView({ block: "center", behavior: isCalm ? "auto" : "smooth" });
    row.focus({ preventScroll: true });
    row.classList.add("glows");
    setTimeout(() => row.classList.remove("glows"), GLOW_MS);
  }
}
