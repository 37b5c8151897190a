// One message of the chat, drawn.

import { attachments } from "./attachments.js";
import { count, el, time } from "./dom.js";
import { emojiOrName } from "./emoji.js";
import { words } from "./text.js";

const MARKS = {
  kept: ["✓", "Kept in the archive. Show it there."],
  waits: ["…", "Not in the archive yet."],
  "not kept": ["–", "Not kept: the bot's rules do not want it."],
};
const HUES = 6;
// Shown to one alone, and kept nowhere.
const WHISPERED = "system_ephemeral";
// One who goes on talking is not named again.
const SAME_BREATH_MS = 5 * 60_000;

export const isWhisper = (post) => post.type === WHISPERED;

// In whose name it is said: a command's or a webhook's own, or "" for its author's.
export function givenName({ props }) {
  return props?.from_webhook === "true" ? String(props.override_username ?? "") : "";
}

const speaker = (post) => `${post.user_id} ${givenName(post)}`;

export function goesOn(post, before) {
  return Boolean(
    before &&
      speaker(before) === speaker(post) &&
      before.root_id === post.root_id &&
      before.type === post.type &&
      !post.type &&
      post.create_at - before.create_at < SAME_BREATH_MS,
  );
}

// `seen` is what it shows besides the post: {name, isBot, me, mark, goesOn, root,
// replies, earlier, acting}; `acts` is what may be done: {openMenu, openThread, showRow,
// toggleEarlier, react, retry, discard, act, dismiss}.
export function drawPost(post, seen, acts) {
  const isSystem = post.type.startsWith("system_") && !isWhisper(post);
  const isSilent = isSystem || seen.goesOn;
  const kind = [
    "post",
    seen.goesOn && "goes-on",
    isSystem && "system",
    isWhisper(post) && "whisper",
    post.pending && "pending",
    post.failed && "failed",
  ];
  return el(
    "li",
    { class: kind.filter(Boolean).join(" ") },
    face(post, seen.name, isSilent),
    el(
      "div",
      { class: "body" },
      context(post, seen, acts),
      el("p", { class: isSilent ? "meta unseen" : "meta" }, meta(post, seen)),
      el("div", { class: "text" }, words(post.message, seen.me)),
      edited(post, seen, acts),
      attachments(post, seen, acts),
      reactions(post, seen, acts),
      thread(post, seen, acts),
      trouble(post, acts),
    ),
    el("div", { class: "side" }, mark(post, seen, acts), more(post, seen, acts)),
  );
}

function face(post, name, isSilent) {
  if (isSilent) return el("span", { class: "face small" }, time(post.create_at, "short"));
  const hue = [...name].reduce((sum, sign) => sum + sign.codePointAt(0), 0) % HUES;
  const letter = [...name][0]?.toUpperCase() ?? "";
  return el("span", { class: `face hue-${hue}`, "aria-hidden": "true" }, letter);
}

function meta(post, { name, isBot }) {
  return [
    el("strong", {}, name),
    isBot && el("span", { class: "tag" }, "bot"),
    post.pending ? el("span", {}, "sending…") : time(post.create_at),
    isWhisper(post) && el("span", { class: "tag" }, "only you see this"),
  ];
}

function context(post, { root, goesOn: isSilent }, { openThread }) {
  if (!post.root_id || root === null || isSilent) return null;
  const said = root ? `${root.name}: ${root.message}` : "a thread";
  return el(
    "button",
    {
      type: "button",
      class: "context",
      "data-key": "context",
      onclick: () => openThread(post.root_id),
    },
    `↳ ${said.slice(0, 120)}`,
  );
}

function edited(post, { earlier }, { toggleEarlier }) {
  if (!post.edit_at) return null;
  const button = el(
    "button",
    {
      type: "button",
      class: "edited",
      "data-key": "edited",
      "aria-expanded": String(earlier !== null),
      onclick: () => toggleEarlier(post.id),
    },
    "(edited)",
  );
  if (earlier === null) return button;
  const texts = earlier.map((text) => el("li", {}, text));
  const none = el("p", { class: "hint" }, "The archive has no earlier text of it.");
  return [button, texts.length ? el("ol", { class: "earlier" }, texts) : none];
}

function reactions(post, { myId }, { react }) {
  const found = new Map();
  for (const { emoji_name: name, user_id: userId } of post.metadata?.reactions ?? []) {
    const told = found.get(name) ?? { times: 0, isMine: false };
    told.times += 1;
    told.isMine ||= userId === myId;
    found.set(name, told);
  }
  if (!found.size) return null;
  const buttons = [...found].map(([name, { times, isMine }]) =>
    el(
      "button",
      {
        type: "button",
        class: "reaction",
        "data-key": `react ${name}`,
        "aria-pressed": String(isMine),
        "aria-label": `${name}, ${times}`,
        title: `:${name}:`,
        onclick: () => react(post, name, !isMine),
      },
      `${emojiOrName(name)} ${times}`,
    ),
  );
  return el("p", { class: "reactions" }, buttons);
}

function thread(post, { replies }, { openThread }) {
  if (!replies) return null;
  const open = () => openThread(post.id);
  const attributes = { type: "button", class: "replies", "data-key": "replies" };
  return el("button", { ...attributes, onclick: open }, count(replies, "reply", "replies"));
}

function trouble(post, { retry, discard }) {
  if (!post.failed) return null;
  return el(
    "p",
    { class: "trouble" },
    `Not sent. ${post.failed} `,
    el("button", { type: "button", onclick: () => retry(post) }, "Try again"),
    " ",
    el("button", { type: "button", onclick: () => discard(post) }, "Discard"),
  );
}

function mark(post, seen, { showRow }) {
  if (!seen.mark) return null;
  const [sign, title] = MARKS[seen.mark];
  const name = el("span", { class: "word" }, seen.mark);
  const inner = [el("span", { "aria-hidden": "true" }, sign), " ", name];
  const kind = `mark ${seen.mark.replace(" ", "-")}`;
  if (seen.mark !== "kept") return el("span", { class: kind, title }, inner);
  const show = () => showRow(post.id);
  const attributes = { type: "button", class: kind, title, "data-key": "mark" };
  return el("button", { ...attributes, onclick: show }, inner);
}

function more(post, { name }, { openMenu, dismiss }) {
  if (isWhisper(post)) {
    const label = "Dismiss what only you see";
    const attributes = { type: "button", class: "more", "data-key": "more", title: label };
    const act = { "aria-label": label, onclick: () => dismiss(post) };
    return el("button", { ...attributes, ...act }, "×");
  }
  if (post.pending || post.type) return null;
  return el(
    "button",
    {
      type: "button",
      class: "more",
      "data-key": "more",
      "aria-haspopup": "menu",
      "aria-label": `What to do with the message of ${name}`,
      onclick: () => openMenu(post.id),
    },
    "⋯",
  );
}
