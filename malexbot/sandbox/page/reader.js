// What is shown, read from the server: the newest, what has changed, older messages.

const PAGE = 50;
// A server gives no more changes at once, and does not tell which it left out.
const MOST_CHANGES = 1_000;
// Clocks of a server may differ so much from post to post.
const OVERLAP_MS = 60_000;

export class Reader {
  // `shown()` gives {channelId, rootId}; `leave()` is called if its thread is gone,
  // `onRead` when something was read.
  constructor({ server, store, shown, leave, onRead }) {
    Object.assign(this, { server, store, shown, leave, onRead });
    // Channels of which something may be missing; those of which older posts come.
    this.stale = new Set();
    this.older = new Set();
  }

  // A new connection: what happened before it is asked for.
  doubt() {
    this.stale = new Set(this.store.lists.keys());
  }

  // What is shown, as the server has it now.
  async refresh() {
    const { channelId, rootId } = this.shown();
    if (!this.store.lists.has(channelId)) {
      this.store.takeNewest(channelId, await this.server.newest(channelId, PAGE));
    } else if (this.stale.has(channelId)) {
      await this.catchUp(channelId);
    }
    this.stale.delete(channelId);
    if (rootId) await this.loadThread(rootId);
    await this.learnNames();
    this.onRead();
  }

  async loadThread(rootId) {
    try {
      const { posts } = await this.server.thread(rootId);
      this.store.takeAll(Object.values(posts));
    } catch (refused) {
      if (refused.status === 0) throw refused;
      this.leave();
    }
  }

  async catchUp(channelId) {
    const from = Math.max(1, this.store.changedAt(channelId) - OVERLAP_MS);
    const page = await this.server.since(channelId, from);
    if (page.order.length < MOST_CHANGES) this.store.takeChanges(channelId, page);
    else this.store.takeNewest(channelId, await this.server.newest(channelId, PAGE));
  }

  async loadOlder() {
    const { channelId, rootId } = this.shown();
    const list = this.store.lists.get(channelId);
    if (rootId || !list?.hasOlder || this.older.has(channelId)) return;
    this.older.add(channelId);
    try {
      const anchor = this.store.olderThan(channelId);
      this.store.takeOlder(channelId, await this.server.before(channelId, anchor, PAGE));
      await this.learnNames();
      this.onRead();
    } catch {
      // One scrolls on, or the connection comes back.
    } finally {
      this.older.delete(channelId);
    }
  }

  async learnNames() {
    const ids = this.store.strangers();
    if (ids.length) this.store.takeUsers(await this.server.users(ids));
  }
}
