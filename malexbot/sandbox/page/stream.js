// The messages of a channel or a thread, as a column that stays where one reads.

import { byId, count, day, el, sync } from "./dom.js";
import { drawPost, givenName, goesOn, isWhisper } from "./post.js";

// So near to the end one follows what comes.
const NEAR_PX = 90;
// So near to the beginning older messages are fetched.
const FAR_PX = 400;

export class Stream {
  // `shown()` gives {channelId, rootId}; `acts` as for drawPost, and `loadOlder`.
  constructor({ store, feed, shown, acts }) {
    Object.assign(this, { store, feed, shown, acts });
    this.box = byId("stream");
    this.list = byId("posts");
    this.hint = byId("hint");
    this.newer = byId("newer");
    this.place = "";
    this.seenLast = "";
    this.news = 0;
    // Of these the earlier texts are shown.
    this.opened = new Set();
    this.box.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.newer.addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => this.follows && this.toEnd()).observe(this.box);
    this.follows = true;
  }

  toggleEarlier(postId) {
    if (!this.opened.delete(postId)) this.opened.add(postId);
  }

  draw() {
    const { channelId, rootId } = this.shown();
    const place = `${channelId}/${rootId}`;
    const isFresh = place !== this.place;
    this.place = place;
    const list = this.store.lists.get(channelId);
    const posts = list ? this.store.stream(channelId, rootId) : [];
    this.say(list, posts, rootId);
    const keep = !isFresh && !this.follows && this.anchor();
    this.list.classList.toggle("in-thread", Boolean(rootId));
    sync(this.list, this.items(posts, rootId), looks, (item) =>
      item.day
        ? el("li", { class: "day" }, el("span", {}, item.day))
        : drawPost(item.post, item.seen, this.acts),
    );
    this.noteNews(posts, isFresh);
    if (keep) this.hold(keep);
    else this.toEnd();
    this.fill();
  }

  say(list, posts, rootId) {
    const isEmpty = list && !posts.length;
    const isOlder = list?.hasOlder && !rootId;
    this.hint.hidden = list && !isEmpty && !isOlder;
    this.hint.textContent = isEmpty
      ? "Nothing was said here yet."
      : isOlder
        ? "Looking for what was said before…"
        : "Loading…";
    this.box.setAttribute("aria-busy", String(!list));
  }

  items(posts, rootId) {
    const items = [];
    const replies = this.store.replies();
    const me = this.store.name(this.store.me);
    let before = null;
    let today = "";
    for (const post of posts) {
      const name = day(post.create_at);
      if (name !== today) {
        items.push({ id: `day ${name}`, day: name });
        today = name;
        before = null;
      }
      const author = this.store.users.get(post.user_id);
      const seen = {
        name: this.name(post),
        isBot: Boolean(author?.is_bot || givenName(post)),
        acting: this.acts.acting(post),
        me,
        myId: this.store.me,
        mark: this.feed.mark(post),
        goesOn: goesOn(post, before),
        root: rootId ? null : this.root(post),
        replies: rootId ? 0 : Math.max(replies.get(post.id) ?? 0, post.reply_count ?? 0),
        earlier: this.opened.has(post.id) ? this.earlier(post.id) : null,
      };
      // A reply's count is that of its whole thread.
      if (post.root_id) seen.replies = 0;
      items.push({ id: post.id, post, seen });
      before = post;
    }
    return items;
  }

  // Who whispers without a name is the server, whoever it whispers for.
  name(post) {
    return givenName(post) || (isWhisper(post) ? "System" : this.store.name(post.user_id));
  }

  root(post) {
    const root = post.root_id && this.store.posts.get(post.root_id);
    return root && { name: this.name(root), message: root.message };
  }

  earlier(postId) {
    return this.feed.rows.get(postId)?.earlier ?? [];
  }

  noteNews(posts, isFresh) {
    const last = posts.at(-1)?.id ?? "";
    const seen = posts.findIndex((post) => post.id === this.seenLast);
    if (isFresh || this.follows || seen < 0) this.seenLast = last;
    this.news = this.seenLast === last ? 0 : posts.length - 1 - seen;
    this.newer.hidden = !this.news;
    this.newer.textContent = `${count(this.news, "new message", "new messages")} ↓`;
  }

  // Where one reads.

  anchor() {
    const top = this.box.getBoundingClientRect().top;
    // The line of a day moves when older messages of that day come.
    for (const item of this.list.querySelectorAll(".post")) {
      const { bottom } = item.getBoundingClientRect();
      if (bottom > top) return { item, id: item.dataset.id, at: bottom };
    }
    return null;
  }

  hold({ item, id, at }) {
    const now = item.isConnected ? item : this.item(id);
    if (now) this.box.scrollTop += now.getBoundingClientRect().bottom - at;
  }

  item(id) {
    return this.list.querySelector(`[data-id="${CSS.escape(id)}"]`);
  }

  toEnd() {
    this.follows = true;
    this.box.scrollTop = this.box.scrollHeight;
    if (!this.news) return;
    this.noteNews(this.store.stream(...Object.values(this.shown())), true);
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.box;
    this.follows = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    if (this.follows && this.news) this.toEnd();
    this.fill();
  }

  fill() {
    if (this.box.scrollTop < FAR_PX) this.acts.loadOlder();
  }
}

// All that makes an item look as it does.
function looks({ day: name, post, seen }) {
  if (name) return name;
  const { id, edit_at, message, metadata, props, pending, failed, type } = post;
  const told = [id, edit_at, message, metadata?.reactions, props?.attachments];
  return JSON.stringify([told, pending, failed, type, seen]);
}
