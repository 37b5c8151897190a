// What one does with programs here: commands, buttons, menus, dialogs.

import { DialogBox } from "./dialog.js";

// What takes longer than this is shown to be under way.
const SLOW_MS = 300;

export class Interplay {
  // `shown()` gives {channelId, rootId}; `giveBack(text)` is called with a command that
  // was refused, `fail(refused)` with what went wrong.
  constructor({ server, store, shown, giveBack, fail }) {
    Object.assign(this, { server, store, shown, giveBack, fail });
    // By "post action": what is under way, and what was chosen.
    this.busy = new Set();
    this.chosen = new Map();
    // Ids by which a dialog is known to be for this tab, and those that were told of.
    this.triggers = new Set();
    this.told = new Map();
    this.box = new DialogBox({
      submit: (told, filled) => this.submit(told, filled),
      choices: (source) => this.choices(source),
    });
  }

  place() {
    const { channelId: channel_id, rootId: root_id } = this.shown();
    const team_id = this.server.teamOf(this.store.channel(channel_id));
    return { channel_id, root_id, team_id };
  }

  // Commands.

  commands() {
    return this.server.commands(this.place().team_id);
  }

  async command(text) {
    const place = this.place();
    const draft = this.draft(place, text);
    const timer = setTimeout(() => this.store.hold(draft), SLOW_MS);
    try {
      const answer = await this.server.execute({ ...place, command: text });
      this.expect(answer.trigger_id);
      const address = answer.goto_location;
      if (/^https?:\/\//.test(address)) window.open(address, "_blank", "noopener");
    } catch (refused) {
      this.giveBack(text);
      this.fail(refused);
    } finally {
      clearTimeout(timer);
      this.store.discard(draft);
    }
  }

  // It stands there until it is answered.
  draft({ channel_id, root_id }, message) {
    const create_at = Date.now();
    const id = `command ${create_at}`;
    const place = { channel_id, root_id, user_id: this.store.me };
    return { id, pending_post_id: id, ...place, message, create_at, type: "", pending: true };
  }

  // Buttons and menus.

  choices(source) {
    return source === "users" ? this.store.people : this.store.places;
  }

  // How the actions of a post stand; null if it has none.
  state(post) {
    if (!Array.isArray(post.props?.attachments)) return null;
    const mine = (keys) => keys.filter(([id]) => id === post.id);
    const busy = mine([...this.busy].map((key) => key.split(" "))).map(([, id]) => id);
    const chosen = [...this.chosen].map(([key, option]) => [...key.split(" "), option]);
    return {
      busy,
      chosen: Object.fromEntries(mine(chosen).map(([, id, option]) => [id, option])),
      choices: (source) => this.choices(source),
      // A menu is drawn anew when it has more to offer.
      offers: [this.store.people.length, this.store.places.length],
    };
  }

  async press(post, action, option) {
    const key = `${post.id} ${action.id}`;
    const before = this.chosen.get(key);
    this.busy.add(key);
    if (option) this.chosen.set(key, option);
    this.store.onChange();
    try {
      const answer = await this.server.act(post.id, action, option);
      this.expect(answer.trigger_id);
    } catch (refused) {
      if (before) this.chosen.set(key, before);
      else this.chosen.delete(key);
      this.fail(refused);
    } finally {
      this.busy.delete(key);
      this.store.onChange();
    }
  }

  // Dialogs. Its event may come before the answer that tells that it is for us, and
  // another tab of the same person is told of it too.

  expect(triggerId) {
    this.triggers.add(triggerId);
    this.show(triggerId);
  }

  opened(told) {
    this.told.set(told.trigger_id, told);
    this.show(told.trigger_id);
  }

  show(triggerId) {
    const told = this.told.get(triggerId);
    if (!told || !this.triggers.has(triggerId)) return;
    this.told.delete(triggerId);
    this.box.open({ ...told, place: this.place() });
  }

  // `filled` null: it was called off.
  submit({ url, dialog, place }, filled) {
    const { channel_id, team_id } = place;
    const { callback_id, state } = dialog;
    const told = { url, callback_id, state, channel_id, team_id };
    const cancelled = filled === null;
    return this.server.submit({ ...told, submission: filled ?? {}, cancelled });
  }
}
