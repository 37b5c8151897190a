// What the page knows: people, channels, posts. It changes by what the server tells,
// and calls `onChange`; it draws nothing and asks nothing.

export class Store {
  constructor(me, onChange) {
    this.me = me;
    this.onChange = onChange;
    this.users = new Map();
    this.channels = [];
    this.posts = new Map();
    // Of each channel that was read: its posts without a hole, and whether older ones
    // are there.
    this.lists = new Map();
    this.unread = new Map();
    // What was written here and is not confirmed yet.
    this.pending = new Map();
    // Whom and what menus offer.
    this.people = [];
    this.places = [];
  }

  // Who and where.

  takeUsers(users) {
    for (const user of users) this.users.set(user.id, user);
    this.onChange();
  }

  takeChannels(channels) {
    const rank = (channel) => "OPGD".indexOf(channel.type);
    channels.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
    this.channels = channels;
    this.onChange();
  }

  takeChoices({ people, places }) {
    this.people = people.map(({ id, username }) => ({ value: id, text: `@${username}` }));
    this.places = places.map((channel) => ({ value: channel.id, text: channel.display_name }));
    this.onChange();
  }

  name(userId) {
    return this.users.get(userId)?.username ?? "…";
  }

  channel(id) {
    return this.channels.find((channel) => channel.id === id);
  }

  title(channel) {
    if (channel.type !== "D") return channel.display_name || channel.name;
    const other = this.partner(channel);
    return other === this.me ? "you" : this.name(other);
  }

  // With whom a direct channel is.
  partner(channel) {
    const ids = channel.name.split("__");
    return ids.find((id) => id !== this.me) ?? this.me;
  }

  // Ids of people whose names are not known yet.
  strangers() {
    const ids = new Set([this.me]);
    for (const post of this.posts.values()) ids.add(post.user_id);
    for (const each of this.channels) if (each.type === "D") ids.add(this.partner(each));
    return [...ids].filter((id) => !this.users.has(id));
  }

  // Posts.

  // The oldest first; a thread is its root and all replies that are known.
  stream(channelId, rootId = "") {
    const found = rootId
      ? [...this.posts.values()].filter((p) => p.id === rootId || p.root_id === rootId)
      : [...(this.lists.get(channelId)?.ids ?? [])].map((id) => this.posts.get(id));
    found.sort((a, b) => a.create_at - b.create_at || (a.id < b.id ? -1 : 1));
    const waiting = [...this.pending.values()].filter((draft) =>
      rootId ? draft.root_id === rootId : draft.channel_id === channelId,
    );
    return [...found, ...waiting];
  }

  // How many replies of each root are known here; the server may know of more.
  replies() {
    const known = new Map();
    for (const { root_id: id, type } of this.posts.values()) {
      if (id && type !== "system_ephemeral") known.set(id, (known.get(id) ?? 0) + 1);
    }
    return known;
  }

  // What a command said in one's name is not one's own.
  lastOwn(channelId, rootId) {
    const isSaid = (post) => !post.type && post.props?.from_webhook !== "true";
    const own = (post) => post.user_id === this.me && !post.pending && isSaid(post);
    return this.stream(channelId, rootId).findLast(own);
  }

  // The newest page of a channel, from scratch.
  takeNewest(channelId, page) {
    this.lists.set(channelId, { ids: new Set(page.order), hasOlder: isMore(page) });
    this.takeAll(Object.values(page.posts));
  }

  // Before which post older ones are to be asked for. A server leaves out those of
  // the same millisecond, so it is one of the next, unless that has brought nothing.
  olderThan(channelId) {
    const posts = this.stream(channelId);
    const [first] = posts;
    const next = posts.find((post) => post.create_at > first.create_at);
    return (!this.lists.get(channelId).isStuck && next ? next : first).id;
  }

  takeOlder(channelId, page) {
    const list = this.lists.get(channelId);
    const before = list.ids.size;
    for (const id of page.order) list.ids.add(id);
    list.hasOlder = isMore(page);
    list.isStuck = list.ids.size === before;
    this.takeAll(Object.values(page.posts));
  }

  // All that has changed since a moment: new, edited, deleted.
  takeChanges(channelId, page) {
    for (const post of Object.values(page.posts)) {
      // These answers do not count replies.
      delete post.reply_count;
      if (post.original_id) continue;
      if (post.delete_at) this.drop(post);
      else this.take(post, page.order.includes(post.id));
    }
    this.onChange();
  }

  takeAll(posts) {
    for (const post of posts) if (!post.original_id) this.take(post);
    this.onChange();
  }

  // `isListed`: it belongs to its channel's list, if that reaches back so far.
  take(post, isListed = false) {
    const old = this.posts.get(post.id);
    this.posts.set(post.id, { ...old, ...post });
    if (post.pending_post_id) this.pending.delete(post.pending_post_id);
    const list = this.lists.get(post.channel_id);
    if (isListed && list && (!list.hasOlder || post.create_at >= this.oldest(list))) {
      list.ids.add(post.id);
    }
  }

  // A root takes its replies with it.
  drop(gone) {
    for (const post of [...this.posts.values()]) {
      if (post.id !== gone.id && post.root_id !== gone.id) continue;
      this.posts.delete(post.id);
      this.lists.get(post.channel_id)?.ids.delete(post.id);
    }
    const root = this.posts.get(gone.root_id);
    if (root?.reply_count) this.posts.set(root.id, less(root));
    this.onChange();
  }

  oldest(list) {
    const times = [...list.ids].map((id) => this.posts.get(id)?.create_at ?? Infinity);
    return Math.min(...times, Infinity);
  }

  changedAt(channelId) {
    let newest = 0;
    for (const post of this.posts.values()) {
      if (post.channel_id === channelId) newest = Math.max(newest, post.update_at);
    }
    return newest;
  }

  react(reaction, isAdded) {
    const post = this.posts.get(reaction.post_id);
    if (!post) return;
    const isIt = (each) =>
      each.user_id === reaction.user_id && each.emoji_name === reaction.emoji_name;
    const others = (post.metadata?.reactions ?? []).filter((each) => !isIt(each));
    const reactions = isAdded ? [...others, reaction] : others;
    const metadata = { ...post.metadata, reactions };
    this.posts.set(post.id, { ...post, metadata });
    this.onChange();
  }

  // Writing.

  hold(draft) {
    this.pending.set(draft.pending_post_id, draft);
    this.onChange();
  }

  discard(draft) {
    this.pending.delete(draft.pending_post_id);
    this.onChange();
  }
}

const isMore = (page) => page.prev_post_id !== "";
const less = (root) => ({ ...root, reply_count: root.reply_count - 1 });
