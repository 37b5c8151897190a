// The server's REST side: API v4 as any client speaks it, and the page's own doors.

const API = "/api/v4";
const PATIENCE_MS = 10_000;

export class Refused extends Error {
  // `status` 0: nobody answered.
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

async function ask(method, path, { body, token } = {}) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers,
      body: body && JSON.stringify(body),
      credentials: "omit",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch {
    throw new Refused("The server does not answer.");
  }
  const told = await answer.json().catch(() => ({}));
  if (answer.ok) return told;
  throw new Refused(told.message || `The server answers ${answer.status}.`, answer.status);
}

export const people = () => ask("GET", "/page/people");
export const doToBot = (what) => ask("POST", "/page/do", { body: { what } });
export const beside = (asked) =>
  ask("GET", `/page/beside?${new URLSearchParams(asked)}`);

export class Server {
  constructor(userId) {
    this.userId = userId;
    this.token = "";
  }

  async enter() {
    const body = { user_id: this.userId };
    this.token = (await ask("POST", "/page/enter", { body })).token;
    return this.token;
  }

  // A token that works no more, as after a new start of the server, is asked for anew.
  async call(method, path, body) {
    if (!this.token) await this.enter();
    try {
      return await ask(method, API + path, { body, token: this.token });
    } catch (refused) {
      if (refused.status !== 401) throw refused;
    }
    await this.enter();
    return ask(method, API + path, { body, token: this.token });
  }

  get(path) {
    return this.call("GET", path);
  }

  async channels() {
    const teams = await this.get("/users/me/teams");
    const lists = await Promise.all(
      teams.map((team) => this.get(`/users/me/teams/${team.id}/channels`)),
    );
    const found = new Map(lists.flat().map((channel) => [channel.id, channel]));
    return [...found.values()];
  }

  users(ids) {
    return this.call("POST", "/users/ids", ids);
  }

  newest(channelId, size) {
    return this.get(`/channels/${channelId}/posts?per_page=${size}`);
  }

  before(channelId, postId, size) {
    return this.get(`/channels/${channelId}/posts?per_page=${size}&before=${postId}`);
  }

  since(channelId, at) {
    return this.get(`/channels/${channelId}/posts?since=${at}`);
  }

  thread(postId) {
    return this.get(`/posts/${postId}/thread`);
  }

  post(draft) {
    return this.call("POST", "/posts", draft);
  }

  edit(postId, message) {
    return this.call("PUT", `/posts/${postId}/patch`, { message });
  }

  remove(postId) {
    return this.call("DELETE", `/posts/${postId}`);
  }

  react(postId, name, isAdded) {
    if (isAdded) {
      const reaction = { user_id: this.userId, post_id: postId, emoji_name: name };
      return this.call("POST", "/reactions", reaction);
    }
    const path = `/posts/${postId}/reactions/${encodeURIComponent(name)}`;
    return this.call("DELETE", `/users/me${path}`);
  }

  act(postId, actionId, option) {
    const path = `/posts/${postId}/actions/${encodeURIComponent(actionId)}`;
    return this.call("POST", path, { selected_option: option });
  }
}
