// The server's REST side: API v4 as any client speaks it, and the page's own doors.

const API = "/api/v4";
const PATIENCE_MS = 10_000;
// The server itself waits for whoever is behind a command or a button.
const LONG_PATIENCE_MS = 40_000;

export class Refused extends Error {
  // `status` 0: nobody answered.
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

async function ask(method, path, { body, token, patience = PATIENCE_MS } = {}) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers,
      body: body && JSON.stringify(body),
      credentials: "omit",
      signal: AbortSignal.timeout(patience),
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
    this.teams = [];
  }

  async enter() {
    const body = { user_id: this.userId };
    this.token = (await ask("POST", "/page/enter", { body })).token;
    return this.token;
  }

  // A token that works no more, as after a new start of the server, is asked for anew.
  async call(method, path, body, patience) {
    if (!this.token) await this.enter();
    try {
      return await ask(method, API + path, { body, token: this.token, patience });
    } catch (refused) {
      if (refused.status !== 401) throw refused;
    }
    await this.enter();
    return ask(method, API + path, { body, token: this.token, patience });
  }

  get(path) {
    return this.call("GET", path);
  }

  async channels() {
    this.teams = await this.get("/users/me/teams");
    const lists = await Promise.all(
      this.teams.map((team) => this.get(`/users/me/teams/${team.id}/channels`)),
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

  // Commands, buttons, menus, dialogs. A direct channel is of no team: any will do.

  teamOf(channel) {
    return channel?.team_id || this.teams[0]?.id || "";
  }

  commands(teamId) {
    return this.get(`/teams/${teamId}/commands/autocomplete`);
  }

  execute(typed) {
    return this.call("POST", "/commands/execute", typed, LONG_PATIENCE_MS);
  }

  act(postId, action, option) {
    const path = `/posts/${postId}/actions/${encodeURIComponent(action.id)}`;
    const told = { selected_option: option, cookie: action.cookie };
    return this.call("POST", path, told, LONG_PATIENCE_MS);
  }

  submit(told) {
    return this.call("POST", "/actions/dialogs/submit", told, LONG_PATIENCE_MS);
  }

  async choices() {
    const teamId = this.teamOf();
    if (!teamId) return { people: [], places: [] };
    const [people, places] = await Promise.all([
      this.get(`/users/autocomplete?in_team=${teamId}&name=`),
      this.get(`/teams/${teamId}/channels/autocomplete?name=`),
    ]);
    return { people: people.users, places };
  }
}
