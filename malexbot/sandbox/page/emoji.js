// The emoji that have a name here; any other one is shown by its name.

const KNOWN = {
  "+1": "👍",
  "-1": "👎",
  blush: "😊",
  bug: "🐛",
  cake: "🍰",
  clap: "👏",
  coffee: "☕",
  confused: "😕",
  cry: "😢",
  eyes: "👀",
  fire: "🔥",
  heart: "❤️",
  heavy_check_mark: "✔️",
  joy: "😂",
  laughing: "😆",
  ok_hand: "👌",
  open_mouth: "😮",
  pray: "🙏",
  rocket: "🚀",
  slightly_smiling_face: "🙂",
  smile: "😄",
  sob: "😭",
  star: "⭐",
  sunglasses: "😎",
  tada: "🎉",
  thinking: "🤔",
  thumbsdown: "👎",
  thumbsup: "👍",
  warning: "⚠️",
  wave: "👋",
  white_check_mark: "✅",
  wink: "😉",
  x: "❌",
  zzz: "💤",
};

// What the menu of a message offers.
export const OFFERED = ["+1", "heart", "joy", "tada", "eyes", "white_check_mark"];

export const emoji = (name) => (Object.hasOwn(KNOWN, name) ? KNOWN[name] : null);
export const emojiOrName = (name) => emoji(name) ?? `:${name}:`;
