// What people write, drawn: a small part of Markdown. Everything becomes a text node;
// a link has to be http, https or mailto. No text takes longer than its length.

import { el } from "./dom.js";
import { emoji } from "./emoji.js";

const DEEPEST = 4;
// So many closing signs are looked at for one that opens.
const MOST_TRIES = 20;
const ITEM = /^ {0,8}([-*+]|\d{1,9}[.)]) +(\S.*)$/;
const HEADING = /^#{1,6} +(\S.*)$/;
const QUOTE = /^> ?/;
const FENCE = /^ {0,3}```/;
const TOKEN =
  /`+|\*\*|\*|__|_|~~|\[|https?:\/\/|@[\p{L}\p{N}_.-]{1,64}|:[a-z0-9_+-]{1,64}:/giu;
const LINK = /\[([^[\]\n]{1,500})\]\((https?:\/\/[^\s()]{1,2000}|mailto:[^\s()]{1,300})\)/y;
const ADDRESS = /https?:\/\/[^\s<>"'`|]{1,2000}/y;
const TAIL = /[.,;:!?*_~]+$/;
const TAGS = { "**": "strong", __: "strong", "*": "em", _: "em", "~~": "s" };
const EVERYBODY = ["all", "channel", "here"];

// `me` is the name whose mentions stand out.
export function words(text, me = "") {
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  const blocks = [];
  let at = 0;
  while (at < lines.length) {
    const [block, next] = readBlock(lines, at, me);
    if (block) blocks.push(block);
    at = next;
  }
  return blocks;
}

function readBlock(lines, at, me) {
  const line = lines[at];
  if (!line.trim()) return [null, at + 1];
  if (FENCE.test(line)) return readCode(lines, at);
  if (QUOTE.test(line)) {
    const [told, next] = readWhile(lines, at, (each) => QUOTE.test(each));
    const inner = told.map((each) => each.replace(QUOTE, ""));
    return [el("blockquote", {}, paragraph(inner, me)), next];
  }
  if (ITEM.test(line)) return readItems(lines, at, me);
  const heading = line.match(HEADING);
  if (heading) return [el("p", { class: "heading" }, inline(heading[1], me)), at + 1];
  const [told, next] = readWhile(lines, at, isPlain);
  return [paragraph(told, me), next];
}

const isPlain = (line) =>
  line.trim() &&
  !FENCE.test(line) &&
  !QUOTE.test(line) &&
  !ITEM.test(line) &&
  !HEADING.test(line);

function readWhile(lines, at, fits) {
  let end = at + 1;
  while (end < lines.length && fits(lines[end])) end += 1;
  return [lines.slice(at, end), end];
}

function readCode(lines, at) {
  const [told, end] = readWhile(lines, at, (line) => !FENCE.test(line));
  const code = el("code", {}, told.slice(1).join("\n"));
  return [el("pre", { tabindex: "0" }, code), end + 1];
}

function readItems(lines, at, me) {
  const [told, next] = readWhile(lines, at, (line) => ITEM.test(line));
  const isNumbered = /\d/.test(told[0].match(ITEM)[1]);
  const items = told.map((line) => el("li", {}, inline(line.match(ITEM)[2], me)));
  const start = isNumbered && parseInt(told[0].match(ITEM)[1], 10);
  return [el(isNumbered ? "ol" : "ul", { start }, items), next];
}

function paragraph(lines, me) {
  const parts = lines.flatMap((line, at) => [at && el("br"), ...inline(line, me)]);
  return el("p", {}, parts);
}

// Within a line. Which signs are known not to be closed any more is `lost`.
function inline(text, me, depth = 0) {
  const parts = [];
  const lost = new Set();
  const token = new RegExp(TOKEN);
  let told = 0;
  for (let found = token.exec(text); found; found = token.exec(text)) {
    const [node, end] = readToken(text, found, { me, depth, lost });
    if (!node) continue;
    if (found.index > told) parts.push(text.slice(told, found.index));
    parts.push(node);
    told = token.lastIndex = end;
  }
  if (told < text.length) parts.push(text.slice(told));
  return parts;
}

function readToken(text, found, context) {
  const [sign] = found;
  const at = found.index;
  if (sign[0] === "`") return readSpan(text, at, sign, context);
  if (sign === "[") return readLink(text, at);
  if (sign[0] === "@") return readMention(text, at, sign, context.me);
  if (sign[0] === ":") return [emoji(sign.slice(1, -1)), at + sign.length];
  if (/^https?:/i.test(sign)) return readAddress(text, at);
  return readEmphasis(text, at, sign, context);
}

const NONE = [null, 0];

function readSpan(text, at, sign, { lost }) {
  const start = at + sign.length;
  const end = lost.has(sign) ? -1 : text.indexOf(sign, start);
  if (end < 0) lost.add(sign);
  if (end <= start) return NONE;
  return [el("code", {}, text.slice(start, end)), end + sign.length];
}

function readEmphasis(text, at, sign, { me, depth, lost }) {
  const start = at + sign.length;
  const isWord = sign[0] === "_";
  if (depth >= DEEPEST || lost.has(sign) || !/\S/.test(text[start] ?? "")) return NONE;
  if (isWord && /[\p{L}\p{N}]/u.test(text[at - 1] ?? "")) return NONE;
  let end = start;
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    end = text.indexOf(sign, end + 1);
    if (end < 0) {
      lost.add(sign);
      return NONE;
    }
    const isOpen = isWord && /[\p{L}\p{N}]/u.test(text[end + sign.length] ?? "");
    if (/\S/.test(text[end - 1]) && !isOpen) {
      const inner = inline(text.slice(start, end), me, depth + 1);
      return [el(TAGS[sign], {}, inner), end + sign.length];
    }
  }
  return NONE;
}

function readLink(text, at) {
  LINK.lastIndex = at;
  const found = LINK.exec(text);
  const node = found && link(found[2], found[1]);
  return node ? [node, at + found[0].length] : NONE;
}

function readAddress(text, at) {
  ADDRESS.lastIndex = at;
  let address = ADDRESS.exec(text)?.[0].replace(TAIL, "") ?? "";
  if (address.endsWith(")") && !address.includes("(")) address = address.slice(0, -1);
  const node = link(address, address);
  return node ? [node, at + address.length] : NONE;
}

export function link(address, text) {
  if (!URL.canParse(address)) return null;
  const { href, protocol } = new URL(address);
  if (!["http:", "https:", "mailto:"].includes(protocol)) return null;
  return el("a", { href, target: "_blank", rel: "noopener noreferrer" }, text);
}

function readMention(text, at, sign, me) {
  if (/[\p{L}\p{N}_]/u.test(text[at - 1] ?? "")) return NONE;
  const name = sign.slice(1).replace(/[.-]+$/, "");
  if (!name) return NONE;
  const isMe = name.toLowerCase() === me || EVERYBODY.includes(name.toLowerCase());
  const node = el("span", { class: isMe ? "mention me" : "mention" }, `@${name}`);
  return [node, at + name.length + 1];
}
