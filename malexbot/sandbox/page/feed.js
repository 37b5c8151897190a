// What is told from beside the chat: how the bot is, and what is kept of a channel.

import { beside } from "./server.js";

const CALM_MS = 1_000;
// While something is on its way into the archive.
const BUSY_MS = 200;
const HIDDEN_MS = 5_000;

export class Feed {
  // `where()` gives {channelId, since}; `onChange` is called when there is news.
  constructor(where, onChange) {
    this.where = where;
    this.onChange = onChange;
    this.seen = { bot: "", archive: false, may: [] };
    this.rows = new Map();
    this.channelId = "";
    this.isBusy = false;
    this.isLost = false;
    this.told = "";
  }

  async look() {
    clearTimeout(this.timer);
    const { channelId, since } = this.where();
    const has = channelId === this.channelId && this.seen.digest;
    try {
      const asked = { channel_id: channelId, since, has: has || "" };
      this.take(channelId, await beside(asked));
      this.isLost = false;
    } catch {
      this.isLost = true;
    }
    this.tell();
    this.later();
  }

  later() {
    clearTimeout(this.timer);
    const pause = document.hidden ? HIDDEN_MS : this.isBusy ? BUSY_MS : CALM_MS;
    this.timer = setTimeout(() => this.look(), pause);
  }

  // Something has happened that the archive may know soon.
  hurry() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), BUSY_MS / 4);
  }

  take(channelId, seen) {
    // While the archive cannot be read, what it held stays on the page.
    if (!seen.archive) {
      this.seen = { ...this.seen, archive: false, bot: seen.bot, may: seen.may };
      return;
    }
    if (seen.posts) {
      this.rows = new Map(seen.posts.map((row) => [row.id, row]));
      this.channelId = channelId;
    }
    delete seen.posts;
    this.seen = seen;
  }

  tell() {
    const looks = JSON.stringify([this.seen, this.isLost, this.channelId]);
    if (looks === this.told) return;
    this.told = looks;
    this.onChange();
  }

  // Nobody runs a bot here, so far as is known.
  get isThere() {
    return this.seen.bot !== "";
  }

  // How it stands with a post: "kept", "waits", "not kept", or "" if that is unknown.
  mark(post) {
    const { mark_at, from, unwanted } = this.seen;
    if (post.pending || !this.isThere || post.channel_id !== this.channelId) return "";
    const row = this.rows.get(post.id);
    if (row) return row.edit_at >= post.edit_at ? "kept" : "waits";
    // Nobody said it.
    if (post.type.startsWith("system_") || post.create_at < from) return "";
    if (mark_at === null || unwanted?.includes(post.id)) return "not kept";
    return post.create_at <= mark_at ? "not kept" : "waits";
  }
}
