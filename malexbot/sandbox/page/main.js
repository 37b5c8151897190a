// The page as a whole: it brings the parts together, and knows what is shown.

import { ArchiveColumn } from "./archive.js";
import { Composer } from "./composer.js";
import { byId } from "./dom.js";
import { Feed } from "./feed.js";
import { Interplay } from "./interplay.js";
import { Menu } from "./menu.js";
import { isWhisper } from "./post.js";
import { Reader } from "./reader.js";
import { choose, drawChannels, listen, sign, view } from "./rooms.js";
import { Server, doToBot, people } from "./server.js";
import { Socket } from "./socket.js";
import { Store } from "./store.js";
import { Stream } from "./stream.js";

// The link that a post has on every Mattermost.
const LINK = /^https?:\/\/[^/]+\/[^/]+\/pl\/([a-z0-9]{26})$/;
const NOTICE_MS = 6_000;
const TRY_AGAIN_MS = 1_000;

class Page {
  constructor(me) {
    this.server = new Server(me);
    this.store = new Store(me, () => this.changed());
    this.shown = { channelId: "", rootId: "" };
    this.isDrawing = false;
    this.feed = new Feed(() => this.watched(), () => this.changed());
    const order = (what) => this.attempt(doToBot(what).then(() => this.feed.hurry()));
    this.archive = new ArchiveColumn({ store: this.store, feed: this.feed, order });
    this.reader = new Reader({
      server: this.server,
      store: this.store,
      shown: () => this.shown,
      leave: () => this.go(this.shown.channelId),
      onRead: () => this.feed.hurry(),
    });
    this.interplay = new Interplay({
      server: this.server,
      store: this.store,
      shown: () => this.shown,
      giveBack: (text) => this.composer.giveBack(text),
      fail: (refused) => this.attempt(Promise.reject(refused)),
    });
    this.composer = new Composer({
      send: (text) => this.send(text),
      command: (text) => this.interplay.command(text),
      commands: () => this.interplay.commands(),
      change: (post, text) => this.attempt(this.server.edit(post.id, text)),
      lastOwn: () => this.store.lastOwn(this.shown.channelId, this.shown.rootId),
      leave: () => this.go(this.shown.channelId),
    });
    this.menu = new Menu({
      react: (post, name) => this.react(post, name, true),
      reply: (post) => this.go(post.channel_id, post.root_id || post.id),
      edit: (post) => this.composer.edit(post),
      remove: (post) => this.attempt(this.server.remove(post.id)),
    });
    this.stream = new Stream({
      store: this.store,
      feed: this.feed,
      shown: () => this.shown,
      acts: this.acts(),
    });
    this.socket = new Socket({
      enter: () => this.server.enter(),
      onEvent: (name, data) => this.hear(name, data),
      onOpen: () => this.opened(),
      onLost: () => this.say("The connection is lost. It is tried again…"),
    });
  }

  acts() {
    const mine = (id) => this.store.posts.get(id)?.user_id === this.store.me;
    return {
      openMenu: (id) =>
        this.menu.open(this.store.posts.get(id), () => this.stream.item(id), mine(id)),
      openThread: (id) => this.go(this.shown.channelId, id),
      showRow: (id) => {
        view("archive");
        this.archive.show(id);
      },
      toggleEarlier: (id) => {
        this.stream.toggleEarlier(id);
        this.changed();
      },
      react: (post, name, isAdded) => this.react(post, name, isAdded),
      retry: (draft) => this.deliver(draft),
      discard: (draft) => this.store.discard(draft),
      acting: (post) => this.interplay.state(post),
      act: (post, action, option) => this.interplay.press(post, action, option),
      dismiss: (post) => this.store.drop(post),
      loadOlder: () => this.reader.loadOlder(),
    };
  }

  start() {
    window.addEventListener("hashchange", () => this.attempt(this.follow()));
    document.addEventListener("visibilitychange", () => this.feed.hurry());
    byId("back").addEventListener("click", () => this.go(this.shown.channelId));
    document.addEventListener("click", (event) => {
      const found = LINK.exec(event.target.closest("a[href]")?.href);
      if (!found || !found[0].startsWith(`${location.origin}/`)) return;
      event.preventDefault();
      this.attempt(this.lead(found[1]));
    });
    this.socket.open();
    this.feed.look();
  }

  // Drawing: at most once a frame.

  changed() {
    if (this.isDrawing) return;
    this.isDrawing = true;
    requestAnimationFrame(() => {
      this.isDrawing = false;
      this.draw();
    });
  }

  draw() {
    const { channelId, rootId } = this.shown;
    const channel = this.store.channel(channelId);
    const title = channel ? sign(channel) + this.store.title(channel) : "…";
    byId("title").textContent = rootId ? `Thread in ${title}` : title;
    byId("back").hidden = !rootId;
    const unread = [...this.store.unread.values()].reduce((sum, each) => sum + each, 0);
    document.title = `${unread ? `(${unread}) ` : ""}${title} · malexbot`;
    const hint = rootId ? "Reply" : `Write to ${title}, or /`;
    this.composer.go(`${channelId}/${rootId}`, hint);
    drawChannels(this.store, channelId);
    this.stream.draw();
    this.archive.draw(this.store.stream(channelId, rootId), title);
  }

  // Where one is: the address says it, so that "back" works.

  go(channelId, rootId = "") {
    const hash = rootId ? `#${channelId}/${rootId}` : `#${channelId}`;
    if (location.hash === hash) return;
    location.hash = hash;
  }

  // To the thread of a post, by its link.
  async lead(postId) {
    const post = await this.server.get(`/posts/${postId}`);
    this.go(post.channel_id, post.root_id || post.id);
  }

  async follow() {
    const [channelId, rootId = ""] = location.hash.slice(1).split("/");
    const channel = this.store.channel(channelId) ?? this.store.channels[0];
    if (!channel) return;
    this.shown = { channelId: channel.id, rootId: channel.id === channelId ? rootId : "" };
    this.store.unread.delete(channel.id);
    view("chat");
    this.changed();
    this.feed.hurry();
    await this.reader.refresh();
  }

  // Writing.

  send(text) {
    const { channelId, rootId } = this.shown;
    const now = Date.now();
    const draft = {
      id: `pending ${now}`,
      pending_post_id: `${this.store.me}:${now}`,
      channel_id: channelId,
      root_id: rootId,
      user_id: this.store.me,
      message: text,
      create_at: now,
      type: "",
      pending: true,
    };
    this.stream.follows = true;
    this.deliver(draft);
  }

  // The server knows a repeated one by its pending_post_id.
  async deliver(draft) {
    this.store.hold({ ...draft, failed: "" });
    const { channel_id, root_id, message, pending_post_id } = draft;
    try {
      const told = { channel_id, root_id, message, pending_post_id };
      this.store.take({ ...(await this.server.post(told)), pending_post_id }, true);
      this.changed();
    } catch (refused) {
      if (!this.store.pending.has(pending_post_id)) return;
      this.store.hold({ ...draft, failed: refused.message, isCutOff: !refused.status });
    }
  }

  react(post, name, isAdded) {
    return this.attempt(this.server.react(post.id, name, isAdded));
  }

  async attempt(doing) {
    try {
      await doing;
    } catch (refused) {
      this.say(refused.message);
      clearTimeout(this.silence);
      this.silence = setTimeout(() => this.say(""), NOTICE_MS);
    }
  }

  say(text) {
    clearTimeout(this.silence);
    byId("banner").textContent = text;
    byId("banner").hidden = !text;
  }

  // What the server tells.

  // A new connection: what happened before it is asked for.
  async opened() {
    try {
      this.reader.doubt();
      await this.reload();
      this.say("");
      for (const draft of this.store.pending.values()) {
        if (draft.isCutOff) this.deliver(draft);
      }
    } catch (refused) {
      this.say(refused.message);
      this.silence = setTimeout(() => this.opened(), TRY_AGAIN_MS);
    }
  }

  hear(name, data) {
    const post = data.post && JSON.parse(data.post);
    const reaction = data.reaction && JSON.parse(data.reaction);
    const heard = {
      posted: () => this.posted(post),
      ephemeral_message: () => this.posted(post),
      post_edited: () => this.store.posts.has(post.id) && this.store.take(post),
      post_deleted: () => this.store.drop(post),
      reaction_added: () => this.store.react(reaction, true),
      reaction_removed: () => this.store.react(reaction, false),
      user_updated: () => this.store.takeUsers([data.user]),
      open_dialog: () => this.interplay.opened(JSON.parse(data.dialog)),
    };
    if (heard[name]) heard[name]();
    else if (/^(channel|direct|group|new_user|user_added|user_removed)/.test(name)) {
      this.attempt(this.reload());
    }
    this.changed();
    if (post || reaction) this.feed.hurry();
  }

  async reload() {
    this.store.takeChannels(await this.server.channels());
    this.store.takeChoices(await this.server.choices());
    await this.follow();
  }

  async posted(post) {
    this.store.take(post, true);
    const isOwn = post.user_id === this.store.me && !isWhisper(post);
    const isHere = post.channel_id === this.shown.channelId;
    if (!isOwn && !isHere) {
      const before = this.store.unread.get(post.channel_id) ?? 0;
      this.store.unread.set(post.channel_id, before + 1);
    }
    await this.attempt(this.reader.learnNames());
    if (isOwn || !isHere) return;
    byId("said").textContent = `${this.stream.name(post)}: ${post.message}`;
  }

  // Beside the chat it is looked at what the chat shows.
  watched() {
    const { channelId, rootId } = this.shown;
    const list = this.store.lists.get(channelId);
    const oldest = list?.hasOlder ? this.store.oldest(list) : 0;
    const root = rootId ? (this.store.posts.get(rootId)?.create_at ?? oldest) : oldest;
    return { channelId, since: Math.min(oldest, root) };
  }
}

async function begin() {
  try {
    const known = await people();
    if (known.length) new Page(choose(known)).start();
    else byId("hint").textContent = "Nobody lives here yet: make people and a team.";
  } catch (refused) {
    byId("hint").textContent = `${refused.message} It is tried again…`;
    setTimeout(begin, TRY_AGAIN_MS);
  }
}

listen();
begin();
